# `make install`: the programs, what mount(8) looks for, the units. Settings that are there and data are left alone.
#   DESTDIR=dir   into a package's root instead of /
#   PREFIX=/usr   SBINDIR=/usr/sbin (mount(8) looks in /sbin, which is the same)  LIBDIR=/usr/lib (units, sysusers.d, tmpfiles.d)
# Without DESTDIR: systemd-sysusers && systemd-tmpfiles --create, then systemctl enable --now tenantfs-fusefs …

SBINDIR ?= /usr/sbin
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(LIBDIR)/systemd/system
UNITS := $(wildcard packaging/systemd/*.service)
INSTALLED := $(PROGRAMS)
DOCDIR = $(PREFIX)/share/doc/tenantfs

# Units name the programs where they lie.
install_unit = sed 's|/usr/bin/\(fusefs\|extractd\|httpshim\)|$(PREFIX)/bin/\1|; s|/usr/share/doc|$(PREFIX)/share/doc|' $(1) >$(DESTDIR)$(UNITDIR)/$(notdir $(1))

.PHONY: install uninstall
install: all ## install into PREFIX (/usr), below DESTDIR
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(SBINDIR) $(UNITDIR) $(LIBDIR)/sysusers.d $(LIBDIR)/tmpfiles.d $(DOCDIR) /etc/tenantfs)
	install -m 755 $(addprefix $(BUILD)/bin/,$(INSTALLED)) $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/bin/mount.tenantfs $(DESTDIR)$(SBINDIR)/
	$(foreach unit,$(UNITS),$(call install_unit,$(unit)) &&) true
	install -m 644 packaging/systemd/tenantfs.sysusers $(DESTDIR)$(LIBDIR)/sysusers.d/tenantfs.conf
	install -m 644 packaging/systemd/tenantfs.tmpfiles $(DESTDIR)$(LIBDIR)/tmpfiles.d/tenantfs.conf
	install -m 644 README.md CHANGELOG.md LICENSE $(wildcard docs/*.md) packaging/tenantfs.conf $(DESTDIR)$(DOCDIR)/
	test -e $(DESTDIR)/etc/tenantfs/tenantfs.conf || install -m 600 packaging/tenantfs.conf $(DESTDIR)/etc/tenantfs/
uninstall: ## remove what install put there; settings and data stay
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(INSTALLED)) $(DESTDIR)$(SBINDIR)/mount.tenantfs
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS)))
	rm -f $(DESTDIR)$(LIBDIR)/sysusers.d/tenantfs.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/tenantfs.conf
	rm -rf $(DESTDIR)$(DOCDIR)
