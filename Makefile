# Aliases for playbooks; the logic is theirs. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help kind-parity-up kind-parity-status kind-parity-validate kind-parity-down kind-parity-reset \
  kind-parity-logs parity-render test lint unit molecule bench clean

PLAYBOOK := ANSIBLE_CONFIG=$(CURDIR)/ansible.cfg .venv/bin/ansible-playbook -i inventories/kind
ARGS = $(if $(LANE),-e parity_lane=$(LANE)) $(if $(OUTPUT),-e parity_output=$(OUTPUT)) \
  $(if $(IMAGES_SOURCE),-e images_source=$(IMAGES_SOURCE)) \
  $(if $(COMPONENT),-e parity_component=$(COMPONENT)) $(if $(FOLLOW),-e parity_follow=true)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

kind-parity-up: .venv/runtime ## everything set up, built and started          [LANE=core]
	@$(PLAYBOOK) playbooks/up.yml $(ARGS)

kind-parity-status: .venv/runtime ## what stands, on one screen                     [OUTPUT=json]
	@$(PLAYBOOK) playbooks/status.yml $(ARGS)

kind-parity-validate: .venv/runtime ## every check of the lane; exit status is the verdict
	@$(PLAYBOOK) playbooks/validate.yml $(ARGS)

kind-parity-down: .venv/runtime ## remove it all, and prove that nothing is left
	@$(PLAYBOOK) playbooks/down.yml $(ARGS)

kind-parity-reset: .venv/runtime ## down, up, validate
	@$(PLAYBOOK) playbooks/reset.yml $(ARGS)

kind-parity-logs: .venv/runtime ## logs of all, or of one                         [COMPONENT=api] [FOLLOW=1]
	@$(PLAYBOOK) playbooks/logs.yml $(ARGS)

parity-render: .venv/runtime ## the rendering alone, without a cluster
	@$(PLAYBOOK) playbooks/render.yml $(ARGS)

test: .venv/test ## lint, units, a real cluster up and down, the browser
	@tests/run all

lint: .venv/test ## the static part of make test
	@tests/run lint

unit: .venv/test ## the unit tests
	@tests/run unit

molecule: .venv/test ## the scenario on a real cluster
	@tests/run molecule

bench: .venv/test ## the figures, as ratios against a plain script
	@tests/run bench

clean: ## remove what make itself installed in this checkout
	rm -rf .venv .cache

.venv/runtime: requirements/runtime.txt requirements/venv.sh
	@requirements/venv.sh runtime && touch $@

.venv/test: .venv/runtime requirements/test.txt
	@requirements/venv.sh test && touch $@
