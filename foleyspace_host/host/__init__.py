"""The host: two authenticated sockets in front of the jobs, and the life of the process that has them."""
