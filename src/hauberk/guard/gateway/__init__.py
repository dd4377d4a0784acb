"""The reverse proxy: server, upstreams, and the way of one request through them."""
