#include "fusefs/words.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct word {
	struct table_link link;
	char text[];
};

struct words {
	pthread_mutex_t lock;
	struct table table; /* lock */
};

struct words *words_new(void)
{
	struct words *words = calloc(1, sizeof(*words));

	if (!words || table_init(&words->table, 64) < 0) {
		free(words);
		return NULL;
	}
	pthread_mutex_init(&words->lock, NULL);
	return words;
}

static void free_word(struct table_link *link, void *context)
{
	(void)context;
	free(container_of(link, struct word, link));
}

void words_free(struct words *words)
{
	if (!words)
		return;
	table_each(&words->table, free_word, NULL);
	table_release(&words->table);
	pthread_mutex_destroy(&words->lock);
	free(words);
}

static struct word *find(struct words *words, const char *bytes, size_t length, uint64_t hash)
{
	for (struct table_link *link = table_find(&words->table, hash); link; link = table_next(link)) {
		struct word *word = container_of(link, struct word, link);

		if (strncmp(word->text, bytes, length) == 0 && word->text[length] == '\0')
			return word;
	}
	return NULL;
}

const char *words_keep(struct words *words, const char *bytes, size_t length)
{
	uint64_t hash = table_hash_bytes(bytes, length, 0);
	struct word *word;

	if (!bytes || length == 0)
		return NULL;
	pthread_mutex_lock(&words->lock);
	word = find(words, bytes, length, hash);
	if (!word) {
		word = calloc(1, sizeof(*word) + length + 1);
		if (word) {
			memcpy(word->text, bytes, length);
			table_add(&words->table, &word->link, hash);
		}
	}
	pthread_mutex_unlock(&words->lock);
	return word ? word->text : NULL;
}
