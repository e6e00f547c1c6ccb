/* What nobody waits for: chunked uploads are assembled, what was left unfinished is swept. One thread. */
#pragma once
#include <stdint.h>

struct background;
struct server;

int background_start(struct server *server, struct background **ret_background);
void background_stop(struct background *background);
/* There is an upload to assemble. */
void background_wake(struct background *background);

struct sweep_counts {
	int64_t uploads, working_names, active_files, scan_jobs, datasets, revoked_tokens;
};
/* Removes what has run out, now. Also for POST /admin/cleanup, on a worker. */
int background_sweep(struct server *server, struct sweep_counts *ret_counts);
