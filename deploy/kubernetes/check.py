"""What the manifests promise beyond their schema, checked on the rendered YAML.

Usage: check.py RENDERED.yaml
With BREAKWATER_BIN set, every config in a ConfigMap is also given to `breakwater check`.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

LINGER, DRAIN = 5, 300


def main(path):
    documents = [document for document in yaml.safe_load_all(Path(path).read_text()) if document]
    deployments = [document for document in documents if document["kind"] == "Deployment"]
    faults = [] if deployments else ["no Deployment"]
    for deployment in deployments:
        faults += [*of_rollout(deployment["spec"]), *of_pod(deployment["spec"]["template"]["spec"])]
    for document in documents:
        faults += [*of_labels(document), *of_selector(document), *of_config(document)]
    for fault in faults:
        print(f"{path}: {fault}", file=sys.stderr)
    if faults:
        return 1
    print(f"{Path(path).stem}: {len(documents)} documents are as they should be")
    return 0


def of_rollout(spec):
    update = spec.get("strategy", {}).get("rollingUpdate")
    yield from expect("rolling update", update, {"maxUnavailable": 0, "maxSurge": "25%"})
    if spec.get("replicas", 1) < 2:
        yield "fewer than two replicas"


def of_pod(pod):
    context = pod.get("securityContext", {})
    yield from expect("runAsNonRoot", context.get("runAsNonRoot"), True)
    yield from expect("runAsUser", context.get("runAsUser"), 65532)
    yield from expect("seccomp", context.get("seccompProfile"), {"type": "RuntimeDefault"})
    yield from expect("service account token", pod.get("automountServiceAccountToken"), False)
    if pod.get("terminationGracePeriodSeconds", 30) <= LINGER + DRAIN:
        yield "the pod is killed before a drain can end"
    containers = pod.get("initContainers", []) + pod["containers"]
    for container in containers:
        yield from of_container(container)
    gateways = [container for container in containers if container["name"] == "breakwater"]
    if not gateways:
        yield "no container called breakwater"
    for gateway in gateways:
        yield from of_gateway(gateway, sidecar=gateway in pod.get("initContainers", []))


def of_container(container):
    name, context = container["name"], container.get("securityContext", {})
    yield from expect(f"{name}: privilege escalation", context.get("allowPrivilegeEscalation"), False)
    yield from expect(f"{name}: read-only root", context.get("readOnlyRootFilesystem"), True)
    yield from expect(f"{name}: capabilities", context.get("capabilities"), {"drop": ["ALL"]})
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= set(resources.get("requests", {})) or "memory" not in resources.get("limits", {}):
        yield f"{name}: resources are not stated"
    if ":" not in container["image"] or container["image"].endswith(":latest"):
        yield f"{name}: the image has no fixed tag"


def of_gateway(gateway, sidecar):
    port = "admin" if sidecar else "http"
    for probe, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        yield from expect(probe, gateway.get(probe, {}).get("httpGet"), {"path": path, "port": port})
    if sidecar:
        yield from expect("restartPolicy of the sidecar", gateway.get("restartPolicy"), "Always")
    if any("value" in variable for variable in gateway.get("env", [])):
        yield "a value in the gateway's env: keys belong in the Secret"


def of_labels(document):
    if document["kind"] == "Namespace":
        return
    metadata = document["metadata"]
    for label in ("name", "managed-by"):
        if f"app.kubernetes.io/{label}" not in metadata.get("labels", {}):
            yield f"{document['kind']} {metadata['name']}: no label app.kubernetes.io/{label}"


def of_selector(document):
    """A selector that is missing selects nothing, an empty one every pod of the namespace."""
    field = {"PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector"}.get(document["kind"])
    if field and not document["spec"].get(field, {}).get("matchLabels"):
        yield f"{document['kind']} {document['metadata']['name']}: {field} names no pods"


def of_config(document):
    """Rules of the program that would make it refuse to start."""
    text = document.get("data", {}).get("breakwater.yaml") if document["kind"] == "ConfigMap" else None
    if text is None:
        return
    config = yaml.safe_load(text)
    if not loopback(config["listen"]) and not config.get("callers") and not config.get("open"):
        yield "the data listener is open to the network, without callers"
    if not loopback(config["admin"]["listen"]) and not config["admin"].get("token"):
        yield "the admin listener is open to the network, without a token"
    for name, provider in config["providers"].items():
        if not re.fullmatch(r"\$\{\w+\}", provider.get("api_key", "")):
            yield f"provider {name}: its key is not a reference to the environment"
    yield from refused(text)


def refused(text):
    program = os.environ.get("BREAKWATER_BIN")
    if not program:
        return
    names = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "a-key-for-checking-only-0123456789")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, "check", file.name], env=os.environ | names, capture_output=True, text=True)
    if done.returncode != 0:
        yield f"breakwater check: {done.stdout}{done.stderr}"


def loopback(address):
    return address.startswith(("127.", "[::1]", "localhost:"))


def expect(name, actual, wanted):
    if actual != wanted:
        yield f"{name} is {actual}, not {wanted}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
