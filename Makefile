# SPDX-License-Identifier: GPL-2.0
#
# Kernel probes for Linux 6.12. `make help` lists what there is.

VM := tools/testing/vm/vm

# Passed on as they are, whatever is in them: $arg1 is no variable of make's.
override export PROBE := $(value PROBE)
override export CMD := $(value CMD)
export SEED

arch := $(if $(ARCH),--arch $(ARCH))

help help-more:
	@cat tools/testing/vm/$@

run:
	@$(VM) demo $(arch)

shell:
	@$(VM) shell $(arch)

kernel:
	@$(VM) build $(arch)

kunit:
	@$(VM) check $(arch) kunit

check:
	@$(VM) check $(arch) $(filter debug,$(PROFILE))

stock:
	@$(VM) stock $(arch) $(if $(REFRESH),--refresh)

bench:
	@$(VM) bench $(arch) $(ROWS)

campaign:
	@$(VM) campaign $(arch) $(if $(SEED),--seed $(SEED)) $(if $(CHUNK),--chunk $(CHUNK)) \
		$(if $(MINUTES),--minutes $(MINUTES))

fuzz:
	@$(VM) fuzz $(arch) $(if $(PROFILE),--profile $(PROFILE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(FROM),--from $(FROM)) $(if $(COUNT),--count $(COUNT)) $(if $(HITS),--hits $(HITS)) \
		$(if $(BOOTS),--boots $(BOOTS))

arch-builds:
	@$(VM) check arch-builds

lint:
	@$(VM) lint

series:
	@$(VM) series

bisect:
	@$(VM) bisect $(arch) $(if $(BOOT),--boot)

.PHONY: help help-more run shell kernel kunit check stock bench campaign fuzz arch-builds lint series bisect
