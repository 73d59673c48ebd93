"""A stand-in for a Kubernetes API with Argo CD, for machines that have none.

It speaks the real protocol to the official client and to kubectl, runs as a process of its own, and
keeps its state through any death. From the wire inwards:

    server       who asks, whether they may (paths, identity, rbac), and who answers
    watching     lists and watches (selectors);  subresources: scale, log, token, reviews
    registry     what a write means (patches, validation, status: the errors)
    store        the objects, their revision, the log on disk
    controllers  Deployments, Jobs, pods as real processes, garbage collection, Argo CD (git)
    control      what only a test can ask for (faults, audit)

What differs from a real server: admission policies are kept and not enforced; unknown fields are
kept, not pruned (but for an Application's `automated`); bodies are JSON only, which leaves out the
kubectl commands that send protobuf (`create configmap`, `auth can-i`); there are no ReplicaSets, no
images, no server-side apply, no pages of a long list, no tables, no
managedFields; CronJobs start nothing, network policies hold nobody back, and a volume is what lies
at its path on this host; of several faults in one object only the first is told.
"""
