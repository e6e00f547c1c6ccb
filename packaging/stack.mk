# The private stack: packaging/stack does the work. The programs are built by a second make, since packaging/deps may have
# just installed what the first one's pkg-config did not find.

.PHONY: run up down status deps
run: ## install what is missing, build, start a private stack in VAR and show it at work
	@packaging/deps
	@$(MAKE) --no-print-directory all
	@BUILD="$(BUILD)" packaging/stack run "$(VAR)"
up: ## the same without the tour
	@packaging/deps
	@$(MAKE) --no-print-directory all
	@BUILD="$(BUILD)" packaging/stack up "$(VAR)"
down: ## end the stack in VAR: no process and no mount is left, the files stay
	@BUILD="$(BUILD)" packaging/stack down "$(VAR)"
status: ## what of the stack in VAR is running
	@BUILD="$(BUILD)" packaging/stack status "$(VAR)"
deps: ## install the packages that are missing (asks for sudo only then)
	@packaging/deps
