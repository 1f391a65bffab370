# SPDX-License-Identifier: GPL-2.0
#
# Kernel probes for Linux 6.12. `make help` lists what there is.

VM := tools/testing/vm/vm

# Passed on as they are, whatever is in them.
export PROBE CMD SEED

help:
	@cat tools/testing/vm/help

run:
	@$(VM) demo

shell:
	@$(VM) shell

kernel:
	@$(VM) build

kunit:
	@$(VM) check kunit

check:
	@$(VM) check

stock:
	@$(VM) stock $(if $(REFRESH),--refresh)

bench:
	@$(VM) bench $(ROWS)

campaign:
	@$(VM) campaign $(if $(SEED),--seed $(SEED)) $(if $(CHUNK),--chunk $(CHUNK)) \
		$(if $(MINUTES),--minutes $(MINUTES))

arch-builds:
	@$(VM) check arch-builds

lint:
	@$(VM) lint

series:
	@$(VM) series

.PHONY: help run shell kernel kunit check stock bench campaign arch-builds lint series
