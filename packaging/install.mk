# `make install`: the programs, what mount(8) looks for, the units. Settings and data are left alone.
#   DESTDIR=dir   into a package's root instead of /
#   PREFIX=/usr   SBINDIR=/sbin   UNITDIR=/lib/systemd/system

SBINDIR ?= /sbin
UNITDIR ?= /lib/systemd/system
UNITS := $(wildcard packaging/systemd/*.service)
INSTALLED := fusefs extractd extract-worker adminctl $(if $(SRC_httpshim),httpshim)

.PHONY: install uninstall
install: all ## install into PREFIX (/usr), below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR)
	install -d $(DESTDIR)$(PREFIX)/share/doc/tenantfs $(DESTDIR)/etc/tenantfs
	install -m 755 $(addprefix $(BUILD)/bin/,$(INSTALLED)) $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/bin/mount.tenantfs $(DESTDIR)$(SBINDIR)/
	$(if $(UNITS),install -m 644 $(UNITS) $(DESTDIR)$(UNITDIR)/)
	install -m 644 README.md CHANGELOG.md LICENSE $(wildcard docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/tenantfs/
uninstall: ## remove what install put there; settings and data stay
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(INSTALLED)) $(DESTDIR)$(SBINDIR)/mount.tenantfs
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS)))
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/tenantfs
