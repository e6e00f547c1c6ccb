/*
 * Hears what others commit: NOTIFY tenantfs_commit, tenantfs_tenant, tenantfs_extracted, tenantfs_token. Drops what is cached and
 * wakes who waits. A thread with a connection of its own, which comes back by itself.
 */
#pragma once

struct listener;
struct server;

int listener_start(struct server *server, struct listener **ret_listener);
void listener_stop(struct listener *listener);
