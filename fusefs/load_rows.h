/* From rows to inodes and back. With the tenant's lock held. */
#pragma once
#include "fusefs/loader.h"
#include "fusefs/tenant.h"

/*
 * Puts a loaded entry under its folder, with its inode, unless memory knows better. 0: it (or what memory has in its
 * place) is there; -ENOMEM; -ESTALE: memory knows that the inode is gone.
 */
int tree_insert_loaded(struct tenant *tenant, struct folder *folder, const struct loaded_entry *loaded);

/* The row of an inode as it would be with these attributes and values (NULL: it is no file). Strings borrow from both.
 */
void inode_row(const struct inode *inode, const struct attributes *attributes, const struct file_values *values,
	       struct node_row *ret_row);
char kind_of_mode(uint32_t mode); /* f d l p s c b */
/* <month>/fs_<id>[.<n>].<ext>: of the object these values name. */
void object_path(const struct file *file, const struct file_values *values, char ret_path[OBJECT_PATH_SIZE]);
void object_path_format(uint16_t month, const char id[22], uint32_t generation, const char *extension,
			char ret_path[OBJECT_PATH_SIZE]);
uint16_t month_number(const char *month); /* "2026-11"; 0 when it is none */
