"""The Kubernetes API: the Application of Argo CD, the Deployment, the Lease, and access reviews."""
