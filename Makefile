# Aliases for playbooks; the logic is theirs. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help test test-crypto test-faults test-mutation lint unit molecule bench clean \
  local-dev-up local-dev-status local-dev-validate local-dev-drift local-dev-logs local-dev-reset local-dev-reseed local-dev-down \
  kind-parity-list kind-parity-up kind-parity-status kind-parity-validate kind-parity-drift kind-parity-logs kind-parity-reset kind-parity-down \
  parity-render parity-diff parity-doctor parity-gate parity-secrets-rotate parity-deadletters parity-stream-rebuild parity-trace \
  parity-journal-verify parity-journal-restore \
  clean-cache host-undo

ARGS = $(if $(LANE),-e parity_lane='$(LANE)') $(if $(TRACES),-e parity_options='traces=$(TRACES)') $(if $(SECURITY),-e parity_security='$(SECURITY)') \
  $(if $(SECRETS),-e parity_secrets='$(SECRETS)') \
  $(if $(OUTPUT),-e parity_output='$(OUTPUT)') \
  $(if $(IMAGES_SOURCE),-e images_source='$(IMAGES_SOURCE)') $(if $(TIER),-e parity_tier='$(TIER)') \
  $(if $(SEED),-e parity_seed_file='$(SEED)') $(if $(HOST_UPGRADE),-e host_upgrade='$(HOST_UPGRADE)') \
  $(if $(INSTANCE),-e instance='$(INSTANCE)') $(if $(PLATFORM),-e platform='$(PLATFORM)') \
  $(if $(COMPONENT),-e parity_component='$(COMPONENT)') $(if $(FOLLOW),-e parity_follow='$(FOLLOW)')
OWN_MODE = $(if $(MODE),-e parity_own_mode='$(MODE)')
play = @ANSIBLE_CONFIG='$(CURDIR)/ansible.cfg' .venv/bin/ansible-playbook -i inventories/$(1) playbooks/$(2).yml $(ARGS) $(OWN_MODE)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  OUTPUT=json, with each that runs a playbook: JSON alone on standard output'

local-dev-up: .venv/runtime ## the fast loop: the platform in Docker Compose [LANE=core] [INSTANCE=demo] [TRACES=1] [SECURITY=PROD] [SECRETS=infisical]
	$(call play,compose,up)

local-dev-status: .venv/runtime ## what stands of it, on one screen
	$(call play,compose,status)

local-dev-validate: .venv/runtime ## every check that holds in compose; exit status is the verdict
	$(call play,compose,validate)

local-dev-drift: .venv/runtime ## what of the realm is not as it was rendered
	$(call play,compose,drift)

local-dev-logs: .venv/runtime ## logs of all, or of one                              [COMPONENT=api] [FOLLOW=1]
	$(call play,compose,logs)

local-dev-reset: .venv/runtime ## the seeded database again, in seconds
	$(call play,compose,reset)

local-dev-reseed: .venv/runtime ## migrate, seed again and keep that for reset
	$(call play,compose,reseed)

local-dev-down: .venv/runtime ## remove it all, and prove that nothing is left
	$(call play,compose,down)

kind-parity-up: .venv/runtime ## production-shaped: everything set up, built, started [LANE=core] [TRACES=1] [SECURITY=PROD] [SECRETS=infisical]
	$(call play,kind,up)

kind-parity-status: .venv/runtime ## what stands, on one screen
	$(call play,kind,status)

kind-parity-validate: .venv/runtime ## every check of the lane; exit status is the verdict
	$(call play,kind,validate)

kind-parity-drift: .venv/runtime ## what is not as it was rendered: object, field, both values
	$(call play,kind,drift)

kind-parity-logs: .venv/runtime ## logs of all, or of one                              [COMPONENT=api] [FOLLOW=1]
	$(call play,kind,logs)

kind-parity-reset: .venv/runtime ## down, up, validate
	$(call play,kind,reset)

kind-parity-list: .venv/runtime ## every platform on this machine, of whichever checkout [OUTPUT=json]
	$(call play,kind,list)

kind-parity-down: .venv/runtime ## remove it all, and prove that nothing is left
	$(call play,kind,down)

parity-render parity-doctor parity-secrets-rotate parity-deadletters parity-stream-rebuild parity-trace parity-journal-verify \
  parity-journal-restore: OWN_MODE =
parity-render: ARGS += $(if $(MODE),-e parity_modes='$(MODE)')
parity-render: .venv/runtime ## the rendering of every mode, or of one                [MODE=kind]
	$(call play,kind,render)

parity-diff: ARGS += $(if $(A),-e parity_diff_a='$(A)') $(if $(B),-e parity_diff_b='$(B)')
parity-diff: .venv/runtime ## what differs between two modes: never the meaning      [A=compose] [B=kind]
	$(call play,kind,diff)

parity-doctor: ARGS += $(if $(MODE),-e parity_doctor_mode='$(MODE)')
parity-doctor: .venv/runtime ## what would stop which mode here, and what to type
	$(call play,kind,doctor)

parity-gate: ARGS += $(if $(GATE),-e parity_gate='$(GATE)')
parity-gate: .venv/runtime ## what must be green on kind before merge, or deploy     [GATE=deploy]
	$(call play,kind,gate)

parity-secrets-rotate: ARGS += $(if $(MODE),-e mode='$(MODE)')
parity-secrets-rotate: ARGS += $(if $(NAME),-e parity_secret='$(NAME)') $(if $(VALUE_FILE),-e parity_value_file='$(VALUE_FILE)')
parity-secrets-rotate: .venv/runtime ## replace one secret everywhere     NAME=redis_api_password [MODE=compose]
	$(call play,kind,rotate)

parity-deadletters parity-stream-rebuild parity-trace parity-journal-verify parity-journal-restore: ARGS += $(if $(MODE),-e mode='$(MODE)')
parity-deadletters: ARGS += -e parity_command=deadletters $(if $(REPLAY),-e parity_value='$(REPLAY)')
parity-deadletters: .venv/runtime ## what consumers gave up, or replay it      [REPLAY=12] [REPLAY=all] [MODE=compose]
	$(call play,kind,command)

parity-stream-rebuild: ARGS += -e parity_command=rebuild
parity-stream-rebuild: .venv/runtime ## publish the outbox again, for a wiped stream              [MODE=compose]
	$(call play,kind,command)

parity-journal-verify parity-journal-restore: ARGS += -e parity_command=$(@:parity-%=%) $(if $(PROJECT),-e parity_control_plane_project='$(PROJECT)')
parity-journal-verify: .venv/runtime ## read the journal up to the head that is known    [PROJECT=atlas] [MODE=compose]
	$(call play,kind,command)

parity-journal-restore: .venv/runtime ## write lost entries again from the outbox        [PROJECT=atlas] [MODE=compose]
	$(call play,kind,command)

parity-trace: ARGS += -e parity_command=trace $(if $(INSTANCE_ID),-e parity_instance_id='$(INSTANCE_ID)')
parity-trace: .venv/runtime ## the traces of an instance as trees, or the newest  [INSTANCE_ID=] [MODE=compose]
	$(call play,kind,command)

clean-cache: .venv/runtime ## free images and build cache that no platform uses
	$(call play,kind,clean_cache)

host-undo: ARGS += $(if $(CONFIRM),-e parity_confirm='$(CONFIRM)')
host-undo: .venv/runtime ## undo what up changed on this machine; shows it first       [CONFIRM=yes]
	$(call play,kind,host_undo)

test: .venv/test ## lint, units, real platforms up and down, the browser
	@tests/run all

test-crypto: .venv/test ## what is sealed opens for its readers alone: vectors, refusals, the browser
	@tests/run crypto

test-faults: .venv/test ## every fault seen for what it is and healed by up      [FAULTS_SEED=abc for a third]
	@FAULTS_SEED='$(FAULTS_SEED)' tests/run faults

test-mutation: .venv/test ## can the tests fail? mutants of the rooms that guard      [MUTANTS=15] [ROOM=secrets]
	@tests/run mutation $(if $(MUTANTS),--mutants $(MUTANTS)) $(ROOM)

lint: .venv/test ## the static part of make test
	@tests/run lint

unit: .venv/test ## the unit tests
	@tests/run unit

molecule: .venv/test ## the scenarios on real platforms: compose and kind
	@tests/run compose
	@tests/run kind

bench: .venv/test ## the figures, as ratios against a plain script
	@tests/run bench

clean: ## remove what make itself installed in this checkout
	rm -rf .venv .cache

.venv/runtime: requirements/runtime.txt requirements/venv.sh
	@requirements/venv.sh runtime >&2 && touch $@

.venv/test: .venv/runtime requirements/test.txt
	@requirements/venv.sh test >&2 && touch $@
