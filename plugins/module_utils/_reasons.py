"""Every reason id that a user can meet, with its meaning and what to type.

The ids are stable: scripts and runbooks may rely on them. docs/runbook.md
documents the same table, and a unit test keeps the two equal.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """What a reason id means, and the advice given when the failure has no better one."""

    means: str
    do: str


REASONS: dict[str, Reason] = {
    # every package's ids, grouped by package
    # apply
    "APPLY_BASE_INVALID": Reason(
        "the manifests of a component cannot be built", "correct its folder kubernetes/, or run {up} to render again"
    ),
    "APPLY_FAILED": Reason("the API server refused an object", "correct the named object; {status} shows what stands"),
    "APPLY_INCOMPLETE": Reason(
        "not every function of the rendering was applied, so nobody knows what is left over",
        "{up} applies those of the collection; apply a function of your own before you prune",
    ),
    # images
    "IMAGE_UNKNOWN": Reason(
        "an image is named that no image.yml describes",
        "correct the name, or add the image to image/image.yml of the component that runs it",
    ),
    "IMAGE_CATALOG_INVALID": Reason("an image's entry cannot be used", "correct the named place, then run the same command again"),
    "IMAGE_TWICE": Reason("two images have one name", "rename one of the two, in its image.yml and where it is named"),
    "IMAGE_BUILD_FAILED": Reason("an image could not be built", "read the named log, then run the same command again"),
    "IMAGE_LOAD_FAILED": Reason("an image could not be loaded into the node", "{up} again; if it repeats, {reset}"),
    "IMAGE_PULL_FAILED": Reason("an image could not be pulled", "check the registry, or build instead: {up} IMAGES_SOURCE=build"),
    "IMAGES_NOT_SUPPLIED": Reason(
        "a step needs images that were not built or pulled for this run", "{up}; before a role used alone: role images"
    ),
    # contract
    "CONTRACT_UNREADABLE": Reason("a file of the contract cannot be read", "restore it: git checkout platform/"),
    "CONTRACT_INVALID": Reason("a file of the contract has the wrong shape", "correct the named place, then run the same command again"),
    "CONTRACT_DUPLICATE_KEY": Reason("a key occurs twice in a YAML file", "remove one of the two, then run the same command again"),
    "CONTRACT_REFERENCE": Reason("a name in the contract refers to nothing", "correct the name, or add what it names"),
    "CONTRACT_CYCLE": Reason("references form a cycle", "replace one of the named references with a value"),
    "CONTRACT_TYPE": Reason("a value does not have the type of its setting", "correct the value, or the type"),
    "VARIABLE_INVALID": Reason("a variable has an unknown value", "use one of the listed values, or leave the variable out"),
    "PATH_UNUSABLE": Reason(
        "a path contains a character that Docker, Compose or a build cannot handle",
        "move the folder to a path of letters a-z, digits and . _ @ + ~ -",
    ),
    "INSTANCE_INVALID": Reason("the name of an instance is no valid DNS label", "choose another, such as INSTANCE=demo"),
    "PLATFORM_MISSING": Reason("a folder is no platform", "name a folder with a platform.yml: -e platform=DIR"),
    "PLATFORM_EXTENDS": Reason("what a platform or a lane extends cannot be used", "correct extends: at the named place"),
    "PLATFORM_COMPONENT_TWICE": Reason("two components have one name", "rename one of the two, or leave the other out: without: [name]"),
    "CONTRACT_SECRET_IN_SETTING": Reason(
        "a setting holds what looks like a secret",
        "name it under secrets: of the component and remove the value; if it was real, change it",
    ),
    "CONTRACT_SETTING_IN_SECRET": Reason(
        "a setting is listed under secrets", "move it to settings: of the component; a secret has a name and a type"
    ),
    "CONTRACT_UNKNOWN_LANE": Reason("the lane is not in the contract", "{up} LANE=core"),
    "CONTRACT_UNKNOWN_MODE": Reason("there is no such mode", "make parity-render   # renders every mode that there is"),
    "CONTRACT_MANIFEST_INVALID": Reason("a manifest of a component cannot be read", "correct the named file"),
    "CONTRACT_MANIFEST_MISMATCH": Reason(
        "a manifest and the contract contradict each other", "make the named manifest say what the contract says"
    ),
    "MODE_INVALID": Reason("a mode file does not fit the contract", "correct the named place in platform/modes/"),
    "SECURITY_REFUSED": Reason(
        "the security mode does not allow these keys, or this domain",
        "say in the named place who holds keys, as docs/modes.md has it; or ask for another security mode, such as SECURITY=PROD {up}",
    ),
    "MODE_OVERRIDES_CONTRACT": Reason(
        "a mode file sets what only the contract may set", "remove the named key; what holds in every mode belongs in component.yml"
    ),
    "RENDERED_EDITED": Reason(
        "a rendered file was changed by hand", "move the change to platform/, remove the named file, then run the same command again"
    ),
    "RENDERED_NOT_OURS": Reason(
        "the output directory holds files that were not rendered", "name another directory, or move what is in that one away"
    ),
    "CONTRACT_MEANING_DIFFERS": Reason(
        "a service is configured with different meanings in two modes", "make the named place say the same in both modes"
    ),
    "COMPOSE_CHANGES_MEANING": Reason(
        "a compose.yml says how a component runs, which only its manifest may",
        "move it to the component's kubernetes/, where it holds in every mode, and remove it from the compose.yml",
    ),
    "COMPOSE_UNDERIVABLE": Reason(
        "a manifest asks for something that Docker Compose cannot do",
        "write it in a form that both can run, or name what replaces the component in Compose: provided_by in platform/modes/compose.yml",
    ),
    "STATE_UNWRITABLE": Reason(
        "a file of the run cannot be read or written", "take ownership of the named path, then run the same command again"
    ),
    "DISK_FULL": Reason(
        "a disk is full, or the user's quota on it",
        "free space where the named path lies (df -h shows how much), then run the same command again",
    ),
    "PATH_OBSTRUCTED": Reason(
        "a link, a directory or a file is in the way of a file of the run",
        "look at what is at the named path, move it away, then run the same command again",
    ),
    # secrets
    "SECRETS_MISSING": Reason(
        "secrets.yml is gone, but the cluster that uses it is there",
        "restore secrets.yml from a copy, or start over with new ones: {down} && {up}",
    ),
    "SECRETS_UNREADABLE": Reason(
        "secrets.yml cannot be read",
        "take ownership of it, restore it from a copy, or start over: {down} && {up}",
    ),
    "SECRETS_PERMISSIONS": Reason("others could read or replace secrets.yml", "chmod 600 it if nobody else saw it, else {down} && {up}"),
    "SECRETS_CORRUPT": Reason(
        "secrets.yml is not a mapping of names to values",
        "restore it from a copy, or start over: {down} && {up}",
    ),
    "SECRETS_INVALID": Reason(
        "a secret does not have the form that the contract requires",
        "correct or restore the named secrets, or start over: {down} && {up}",
    ),
    "SECRETS_INCOMPLETE": Reason(
        "tier staging generates no secret, and some have no value", "write the named ones into secrets.yml, mode 0600, as name: value"
    ),
    "SECRETS_DIFFER": Reason(
        "a secret of tier ci is not the one that the seed yields",
        "use the seed that the run began with (-e parity_seed_file=FILE), or start over: {down} && {up}",
    ),
    "SECRETS_TIER_CHANGED": Reason(
        "the secrets were made for another tier",
        "go on with that tier (-e parity_tier=TIER), or start over: {down} && {up}",
    ),
    "SECRETS_DERIVED": Reason(
        "a secret follows from another one, or from the seed of tier ci, and cannot be replaced alone",
        "start over with another seed: {down}, then up with -e parity_seed_file=FILE",
    ),
    "SECRET_UNKNOWN": Reason("the contract has no secret of that name", "{rotate} NAME=NAME   # one of the names that are listed"),
    "SECRET_VALUE_MISSING": Reason(
        "tier staging takes the new value of a secret from a file, and there is none to be read",
        "write the value to a file of mode 0600 and name it: -e parity_value_file=FILE",
    ),
    "SEED_MISSING": Reason(
        "tier ci needs a file with a seed, and there is none to be read",
        "(umask 077; openssl rand -base64 48 > FILE), then -e parity_seed_file=FILE",
    ),
    "SEED_PERMISSIONS": Reason("others could read the seed", "chmod 600 it if nobody else saw it, else make a new one and start over"),
    "SEED_WEAK": Reason(
        "the seed is too short or plainly not random",
        "(umask 077; openssl rand -base64 48 > FILE), then -e parity_seed_file=FILE",
    ),
    # tls
    "CA_CORRUPT": Reason(
        "the local CA is missing or broken although certificates of it exist",
        "restore tls/ca.key and tls/ca.crt, or start over: {reset}",
    ),
    "CA_PERMISSIONS": Reason("others could read the key of the local CA", "chmod 600 it if nobody else saw it, else {reset}"),
    "ARGUMENT_INVALID": Reason(
        "a step got a value that it does not accept", "correct the value; make help lists what each command accepts"
    ),
    "INTERNAL": Reason("a defect in gpuaas.parity itself", "report it with the diagnosis bundle, or with what -v on the playbook shows"),
    # run: programs, locks, state
    "COMMAND_MISSING": Reason("a program that is needed cannot be started", "install it, or run {up}, which does"),
    "COMMAND_FAILED": Reason("a program that was started ended with an error", "read its output; details.stderr holds more of it"),
    "COMMAND_TIMEOUT": Reason(
        "a program exceeded its time limit and was killed", "look for what it waits for, then run the same command again"
    ),
    "REQUIREMENTS_MISSING": Reason(
        "the Python that runs Ansible lacks a library that the collection requires",
        "install requirements/runtime.txt of the collection into it",
    ),
    "REQUIREMENTS_OUTDATED": Reason(
        "the Python environment is not the one that requirements/ locks",
        "requirements/venv.sh runtime   # make does it before every target",
    ),
    "RUN_INTERRUPTED": Reason("the run ended before its last step", "run the same command again: it goes on from there"),
    "RUN_IN_PROGRESS": Reason("another run of this mode is in progress", "wait until it ends, then run the same command again"),
    "MODE_VERB_REFUSED": Reason(
        "this verb is not available in this mode: its deployment is shared, or managed by others",
        "see docs/modes.md for what each mode is for",
    ),
    "MODE_NO_ENDPOINT": Reason(
        "validating a shared mode needs the address of its deployment",
        "ansible-playbook playbooks/validate.yml -i inventories/<mode> -e parity_address=<host or ip>:<port>",
    ),
    "MODE_TARGET_REFUSED": Reason(
        "the rendering is for another mode, whose deployment this collection does not change",
        "use the playbooks with -i inventories/kind, or those of the mode that you want",
    ),
    "STATE_DIR_UNSAFE": Reason(
        "the state directory was not made by this collection", "name another parity_state_dir, or move that one away"
    ),
    "STATE_ABSENT": Reason("nothing of this mode is up here", "{up}"),
    "STATE_DIR_RESIDUE": Reason("the state directory could not be removed", "remove what details.left names, then run {down}"),
    # host
    "HOST_OS": Reason("the machine does not run Linux", "run it in a Linux virtual machine"),
    "HOST_ARCH": Reason("the processor architecture is not supported", "use an x86_64 or aarch64 machine"),
    "HOST_DOCKER_MISSING": Reason(
        "there is no docker program", "{up}   # installs it on Debian and Ubuntu, as root or with passwordless sudo"
    ),
    "HOST_DOCKER_UNREACHABLE": Reason(
        "the Docker engine does not answer", "sudo systemctl start docker   # if it fails: systemctl status docker"
    ),
    "HOST_DOCKER_PERMISSION": Reason("this user may not talk to the Docker engine", 'sudo usermod -aG docker "$USER" && newgrp docker'),
    "HOST_DOCKER_TOO_OLD": Reason("the Docker engine is older than 23", "install Docker 23 or newer"),
    "HOST_DOCKER_REMOTE": Reason("the Docker engine is on another machine", "unset DOCKER_HOST DOCKER_CONTEXT; docker context use default"),
    "HOST_DOCKER_ROOTLESS": Reason(
        "rootless Docker lacks what a node needs", "see https://kind.sigs.k8s.io/docs/user/rootless/, or use a rootful engine"
    ),
    "HOST_COMPOSE_MISSING": Reason(
        "Docker has no Compose plugin, or one older than 2.20.2",
        "sudo apt-get install docker-compose   # of Debian 13; elsewhere docker-compose-v2",
    ),
    "HOST_BUILDX_MISSING": Reason("images are to be built and docker buildx is missing", "sudo apt-get install docker-buildx"),
    "HOST_MMDEBSTRAP_MISSING": Reason("base images are to be built and mmdebstrap is missing", "sudo apt-get install mmdebstrap"),
    "HOST_DISK": Reason("too little disk is free where Docker keeps its data", "docker system prune"),
    "HOST_MEMORY": Reason("too little memory is available", "end what uses it, or give the machine more"),
    "HOST_INOTIFY": Reason(
        "the inotify limits are too low for a node", "sudo sysctl -w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"
    ),
    "HOST_UPGRADE_REFUSED": Reason(
        "an installation would upgrade or remove packages of this machine, which nobody approved",
        "{up} HOST_UPGRADE=yes   # approves it; or install Docker yourself: https://docs.docker.com/engine/install/",
    ),
    "HOST_RECORD_INVALID": Reason(
        "the record of what was changed on this machine cannot be read",
        "restore the named file from a copy, or move it away; then nothing recorded in it can be undone",
    ),
    "HOST_UNDO_IN_USE": Reason(
        "what would be undone is in use", "{down} for each of the named platforms, in its checkout and with its INSTANCE"
    ),
    "HOST_UNDO_UNCONFIRMED": Reason("nothing is undone without confirmation", "make host-undo CONFIRM=yes"),
    "HOST_PRIVILEGE_MISSING": Reason(
        "a change of the machine needs root", "type the shown commands as root, with sudo; then the same command again"
    ),
    "HOST_PORT_IN_USE": Reason(
        "a port that the platform publishes is held by something else", "end its owner, or take other ports: {up} INSTANCE=two"
    ),
    "HOST_CLOCK": Reason("the clock of the machine is wrong", "sudo timedatectl set-ntp true"),
    # kind
    "CLUSTER_NOT_OURS": Reason(
        "a cluster of that name exists and this checkout did not make it", "choose another cluster name, or delete that cluster yourself"
    ),
    "CLUSTER_HALF_MADE": Reason("the cluster is ours, but the files that are needed to use it are gone", "{reset}"),
    "CLUSTER_CREATE_FAILED": Reason("the cluster could not be created", "read the named log, then run {up}: it starts over"),
    "CLUSTER_IMAGE_MISSING": Reason("the node image is not on this machine", "{up}   # builds or pulls it"),
    "CLUSTER_NOT_READY": Reason("the cluster runs, but its API does not answer", "{logs}; if nothing helps, {reset}"),
    "CLUSTER_START_FAILED": Reason("the stopped cluster could not be started", "remove the named cause, then run {up}"),
    "CLUSTER_RESIDUE": Reason(
        "something of the cluster is left after it was removed", "remove what details.residue names, then run {down}"
    ),
    "CLUSTER_RECORD_CORRUPT": Reason("the record of the cluster cannot be read", "{up} writes it again from the cluster"),
    "KUBECONFIG_FOREIGN": Reason("the kubeconfig points to a cluster that is not ours", "move that file away, then run {up}"),
    # compose
    "LOCAL_DEV_NOT_OURS": Reason(
        "a Compose project of that name exists and gpuaas.parity did not make it",
        "docker compose --project-name gpuaas-local down --volumes   # if it is yours and may go with its data",
    ),
    "LOCAL_DEV_MOVED": Reason(
        "the Compose project was made by a checkout in another place", "make local-dev-down there, or move the checkout back"
    ),
    "LOCAL_DEV_UP_FAILED": Reason("the Compose project did not come up", "make local-dev-logs; then make local-dev-up goes on"),
    "LOCAL_DEV_RESIDUE": Reason(
        "something of the Compose project is left after it was removed",
        "remove what details.residue names, then run make local-dev-down",
    ),
    "LOCAL_DEV_SOURCE_UNREADABLE": Reason(
        "the source that is mounted into containers is not readable there", "chmod -R o+rX control_plane/src"
    ),
    "LOCAL_DEV_DATABASE": Reason(
        "the database of the Compose project could not be reset", "make local-dev-up; then the same command again"
    ),
    "LOCAL_DEV_SEED_MISSING": Reason("there is no snapshot of the seeded database", "make local-dev-reseed"),
    "LOCAL_DEV_SEED_OUTDATED": Reason("the snapshot of the seeded database is of an older schema than the code", "make local-dev-reseed"),
    "LOCAL_DEV_SCHEMA_NEWER": Reason(
        "the database was migrated by newer code than this checkout's",
        "go back to that code, or make the database again, which loses its data: make local-dev-reseed && make local-dev-up",
    ),
    # diagnosis
    "COMPONENT_UNKNOWN": Reason("there is no component of this name in the lane", "{logs}   # without COMPONENT shows all"),
    # component_command
    "COMMAND_UNKNOWN": Reason("no component of the lane has a command of this name", "run one of those that are listed"),
    "LOGS_UNREADABLE": Reason("no log could be read", "{status}"),
    # probe: the cluster's API
    "CLUSTER_ABSENT": Reason("there is no cluster of this name", "{up}"),
    "KUBECONFIG_INVALID": Reason("the kubeconfig cannot be read or used", "{up} writes it again"),
    "KUBECONFIG_NOT_LOCAL": Reason("the kubeconfig's server is not on this machine", "{up} writes it again"),
    "KUBE_API_UNREACHABLE": Reason("the Kubernetes API does not answer", "{up} starts and repairs the cluster"),
    "KUBE_API_REFUSED": Reason("the Kubernetes API answered with an error", "{status}"),
    # probe: the checks themselves
    "CONTRACT_NOT_RENDERED": Reason("the rendered contract is missing or cannot be read", "{up} renders it"),
    "CHECKS_INVALID": Reason("a checks.yml has an entry that no check understands", "correct the file at the named place"),
    "CHECK_MISSING": Reason(
        "a component has no checks.yml, or no ready, ingress or config check in it", "add the check to checks.yml in the component's folder"
    ),
    "CHECK_ERROR": Reason("a check could not be carried out, which counts as failed", "{logs}; the traceback is in logs/probe.log"),
    "CHECK_UNFINISHED": Reason("a check had not succeeded when another one ended the wait", "solve the first failure"),
    "READY_TIMEOUT": Reason("something was not ready in time", "{logs} shows why; {up} goes on waiting"),
    # gates
    "GATE_INVALID": Reason(
        "gates.yml cannot be used, or a check does not fit the validation that it names",
        "correct the named place of gates.yml or checks.yml",
    ),
    "GATE_WRONG_MODE": Reason("a gate is proved in another mode than that of the run", "make kind-parity-up, then make parity-gate"),
    "GATE_NOT_RUN": Reason("a check that a gate requires did not run, which counts as failed", "{up}, then make parity-gate"),
    # probe: what the checks find
    "WORKLOAD_NOT_READY": Reason("a workload is not rolled out, or a container not healthy", "{logs}"),
    "IMAGE_NOT_ON_NODE": Reason("a pod's image is not on the node", "{up} builds or loads it"),
    "CONTAINER_CONFIG_BROKEN": Reason("a container refers to configuration that does not exist", "{up} applies it again"),
    "CONTAINER_CRASHING": Reason("a container ends again and again", "{logs} shows its last output"),
    "POD_UNSCHEDULABLE": Reason(
        "no node has enough processor or memory left for a pod",
        "end what takes most of it, or lower its resources.requests, then {up}; a machine that the platform alone fills is too small",
    ),
    "JOB_FAILED": Reason("a job gave up", "{logs} shows its output; {up} runs it again"),
    "JOB_NOT_COMPLETE": Reason("a job has not completed", "{logs}"),
    "NAME_NOT_LOOPBACK": Reason(
        "a public name does not resolve to this machine", "remove it from /etc/hosts or from the resolver that answers for it"
    ),
    "PROJECT_NOT_OURS": Reason(
        "a Compose project of our name belongs to another checkout, or to this one before it was moved",
        "make local-dev-down in the checkout that it belongs to",
    ),
    "PROJECT_ABSENT": Reason("the Compose project does not exist", "make local-dev-up"),
    "PROJECT_DNS_WRONG": Reason("a public name does not resolve to the ingress inside the Compose project", "make local-dev-up"),
    "CLUSTER_DNS_WRONG": Reason("a name resolves wrongly inside the cluster", "{up} applies the DNS rewrite again"),
    "PORT_CLOSED": Reason("nothing listens where something should", "{status}"),
    "TLS_INVALID": Reason("a certificate is not what it should be", "{up} issues and applies it again"),
    "TLS_EXPIRING": Reason("a certificate is about to expire", "{up} renews it"),
    "TLS_LAX": Reason("the ingress accepts over TLS what it must refuse", "{up} gives it its options again"),
    "HTTP_UNREACHABLE": Reason("an endpoint does not answer", "{status}"),
    "HTTP_UNEXPECTED": Reason("an endpoint's answer is not the expected one", "{logs}"),
    "ISSUER_MISMATCH": Reason("the OIDC issuer is not the same everywhere", "{up}; make parity-diff if it stays"),
    "LOGIN_FAILED": Reason("a real OIDC login did not succeed", "{logs}"),
    "TOKEN_NOT_REFUSED": Reason("the API accepts what it must refuse, or refuses it for the wrong reason", "{logs}"),
    "EXEC_FAILED": Reason("a component's own probe, a program in its container, failed", "{logs}"),
    "STORE_ROUNDTRIP_FAILED": Reason("what was written through the API cannot be read back", "{logs}"),
    "SECURITY_MODE_DRIFT": Reason("a process runs in another security mode than the contract says", "{up}"),
    "SECRETS_PROVIDER_DRIFT": Reason("a process got its secrets from elsewhere than the contract says", "{up}"),
    "CONFIGURATION_DRIFT": Reason("what runs is not configured as the contract says", "{up}"),
    "OBJECTS_DRIFTED": Reason(
        "an object of the cluster differs from the rendering, or is not part of the platform", "{drift} shows each; {up}"
    ),
    "REALM_DRIFTED": Reason("the realm differs from the rendering", "{up}"),
    "PATH_CLOSED": Reason("a Service leads nowhere, or a component cannot connect to what it needs", "{up}"),
    "IMAGE_NOT_PINNED": Reason("a pod or container runs an image that is not pinned for it", "{up}"),
    "LISTENS_OFF_LOOPBACK": Reason("something of the platform listens on an address beyond this machine", "{reset}"),
    "NETWORK_POLICY_NOT_ENFORCED": Reason(
        "a pod reaches what the NetworkPolicies forbid", "{up} applies the policies and their enforcement again"
    ),
    "NETWORK_POLICY_UNPROVEN": Reason("the canary cannot tell whether NetworkPolicy is enforced", "{up} applies it and its policies again"),
    "POD_SECURITY_MISSING": Reason("a namespace does not enforce Pod Security restricted", "{up} applies it again"),
    "SECRETS_EXPOSED": Reason("a secret of the run is missing or readable by others", "{up}; see the named paths"),
    "REPORT_NOT_WRITTEN": Reason("the report of a run could not be written", "make room, or make the reports directory writable"),
    "NOT_READY": Reason("the platform is not ready", "{up}"),
    # keycloak
    "KEYCLOAK_UNREACHABLE": Reason("Keycloak does not answer at the URL of its administrators", "{status}; {logs}"),
    "KEYCLOAK_AUTH": Reason(
        "Keycloak does not accept its administrator",
        "put back the secrets.yml that belongs to this database, or wait a quarter of an hour where somebody guessed at the password;"
        " {down} && {up} if the file is lost",
    ),
    "KEYCLOAK_REALM_INVALID": Reason("the realm document is invalid", "correct the named place in platform/realm.yml"),
    "KEYCLOAK_SECRETS": Reason("secrets.yml has no value for a secret that the realm document names", "{up} writes missing secrets"),
    "KEYCLOAK_CONFLICT": Reason(
        "Keycloak has an object that is not ours under a name that the realm document uses", "delete or rename it in the admin console"
    ),
    "KEYCLOAK_API": Reason("Keycloak gave an unexpected answer", "{logs}"),
}
