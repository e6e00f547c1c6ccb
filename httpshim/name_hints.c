#include "httpshim/name_hints.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/table.h"
#include "shared/base/text.h"

enum { PLACES = 4096, NAME_BYTES_MAX = NAME_HINT_NAME_SIZE - 1, EXTENSION_BYTES_MAX = 17 };

/* Known by their hash alone: two names that share one only skip a number. */
struct hint {
	uint64_t hash;
	int64_t next;
};

struct name_hints {
	pthread_mutex_t lock; /* guards hints */
	struct hint hints[PLACES];
};

int name_hints_new(struct name_hints **ret_hints)
{
	struct name_hints *hints = calloc(1, sizeof(*hints));

	if (!hints)
		return -ENOMEM;
	pthread_mutex_init(&hints->lock, NULL);
	*ret_hints = hints;
	return 0;
}

void name_hints_free(struct name_hints *hints)
{
	if (!hints)
		return;
	pthread_mutex_destroy(&hints->lock);
	free(hints);
}

static uint64_t hash_of(int64_t tenant_id, const char *folder, const char *name, size_t length)
{
	return table_hash_bytes(name, length, table_hash_bytes(folder, strlen(folder), (uint64_t)tenant_id)) | 1;
}

int64_t name_hints_next(struct name_hints *hints, int64_t tenant_id, const char *folder, const char *name, size_t length)
{
	uint64_t hash = hash_of(tenant_id, folder, name, length);
	struct hint *hint = &hints->hints[hash % PLACES];
	int64_t number = 1;

	pthread_mutex_lock(&hints->lock);
	if (hint->hash == hash)
		number = hint->next++;
	pthread_mutex_unlock(&hints->lock);
	return number;
}

void name_hints_taken(struct name_hints *hints, int64_t tenant_id, const char *folder, const char *name, size_t length,
		      int64_t number)
{
	uint64_t hash = hash_of(tenant_id, folder, name, length);
	struct hint *hint = &hints->hints[hash % PLACES];

	pthread_mutex_lock(&hints->lock);
	if (hint->hash != hash || hint->next <= number)
		*hint = (struct hint){.hash = hash, .next = number + 1};
	pthread_mutex_unlock(&hints->lock);
}

size_t name_hints_format(const char *name, size_t length, int64_t number, char ret_name[NAME_HINT_NAME_SIZE])
{
	const char *dot = memrchr(name, '.', length);
	size_t stem = dot && dot > name && name + length - dot <= EXTENSION_BYTES_MAX ? (size_t)(dot - name) : length;
	char suffix[32] = "";
	size_t extra;

	if (number > 1)
		snprintf(suffix, sizeof(suffix), " (%" PRId64 ")", number);
	extra = strlen(suffix) + length - stem;
	if (stem + extra <= NAME_BYTES_MAX)
		return (size_t)snprintf(ret_name, NAME_HINT_NAME_SIZE, "%.*s%s%.*s", (int)stem, name, suffix, (int)(length - stem),
					name + stem);
	return (size_t)snprintf(ret_name, NAME_HINT_NAME_SIZE, "%.*s%s%.*s",
				(int)utf8_cut(name, stem, NAME_BYTES_MAX - extra), name, suffix, (int)(length - stem),
				name + stem);
}
