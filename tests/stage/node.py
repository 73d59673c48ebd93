"""The node: containerd, the network of its pods, and the kubelet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from tests.stage import group, images
from tests.stage.components import Component
from tests.stage.host import BRIDGE, NETWORK, NODE_ADDRESS
from tests.stage.places import LOOPBACK, NODE_NAME, PODS, PORTS, at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage.places import Places

_CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE runc could not lower the score of a pod, and would fail.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{runc}"
      Root = "{containers}"
      SystemdCgroup = false
"""


def socket(directory: Path) -> Path:
    """Where containerd listens."""
    return directory / "containerd.sock"


def containerd(places: Places) -> Component:
    """The container runtime, with a network for its pods."""
    networks = places.folder("networks")
    plugins = places.bundle / "debian" / "usr" / "lib" / "cni"
    network = {
        "cniVersion": "1.0.0",
        "name": NETWORK,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                # Pods reach this machine and one another, and nothing else.
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(places.folder("network-addresses")),
                    "ranges": [[{"subnet": PODS}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
    (networks / "stage.conflist").write_text(json.dumps(network))
    path = places.directory / "containerd.toml"
    path.write_text(
        _CONTAINERD.format(
            root=places.folder("containerd"),
            state=places.folder("containerd-run", 0o711),
            socket=socket(places.directory),
            pause=images.PAUSE,
            plugins=plugins,
            networks=networks,
            runc=places.program("runc"),
            containers=places.folder("runc"),
        )
    )
    programs = places.bundle / "debian" / "usr" / "bin"
    return Component(
        "containerd",
        (places.program("containerd"), f"--config={path}", "--log-level=warn"),
        f"unix://{socket(places.directory)}",
        {"PATH": f"{programs}:{plugins}:/usr/sbin:/usr/bin:/sbin:/bin"},
    )


def kubelet(places: Places) -> Component:
    """The kubelet, with all that can be placed elsewhere in the stage's directory."""
    access = places.kubeconfig("kubelet", f"system:node:{NODE_NAME}", "system:nodes")
    pair = places.authority.issue("kubelet", "kubelet", addresses=(NODE_ADDRESS,))
    address, port = PORTS["kubelet"]
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "port": port,
        "readOnlyPort": 0,
        "healthzBindAddress": LOOPBACK,
        "healthzPort": PORTS["kubelet, of its health"][1],
        "tlsCertFile": str(pair.certificate),
        "tlsPrivateKeyFile": str(pair.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(places.authority.path)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{socket(places.directory)}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{group.NAME}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "enforceNodeAllocatable": ["pods"],
        # A developer's full disk is no reason to end pods, and so no reason for a test to fail.
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(places.folder("pod-logs", 0o755)),
        "volumePluginDir": str(places.folder("volume-plugins")),
        "resolvConf": "",
        "registerNode": True,
    }
    path = places.directory / "kubelet.yaml"
    path.write_text(yaml.safe_dump(settings))
    return Component(
        "kubelet",
        (
            places.program("kubelet"),
            f"--config={path}",
            f"--kubeconfig={access}",
            f"--root-dir={places.folder('kubelet', 0o711)}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={NODE_ADDRESS}",
        ),
        f"http://{at('kubelet, of its health')}/healthz",
        {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
