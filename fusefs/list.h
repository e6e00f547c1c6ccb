/* A doubly linked ring whose members embed their link; the head is a link of its own. The caller locks. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *previous, *next;
};

static inline void list_init(struct list_link *head)
{
	head->previous = head->next = head;
}

static inline bool list_is_empty(const struct list_link *head)
{
	return head->next == head;
}

/* A link of zeroes is in no list. */
static inline bool list_has(const struct list_link *link)
{
	return link->next != NULL;
}

static inline void list_append(struct list_link *head, struct list_link *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

static inline void list_remove(struct list_link *link)
{
	if (!link->next)
		return;
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link->previous = link->next = NULL;
}
