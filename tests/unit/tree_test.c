/* The tree of a tenant without a mount around it: names, order, loads that come late, eviction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "fusefs/load_rows.h"
#include "fusefs/mount.h"
#include "fusefs/words.h"

enum { ROOT = 1 << 20 };

struct fixture {
	struct mount mount;
	struct tenant tenant;
	int64_t next_number, next_sequence;
};

static struct inode *add_inode(struct fixture *fixture, char kind)
{
	struct inode *inode = inode_new(kind, fixture->next_number++);

	inode->attributes.nlink = kind == 'd' ? 2 : 1;
	if (kind == 'f')
		snprintf(as_file(inode)->id, 22, "%021lld", (long long)inode->number);
	tree_add(&fixture->tenant.tree, inode);
	return inode;
}

static struct entry *add_name(struct fixture *fixture, struct folder *folder, const char *name, struct inode *inode)
{
	struct entry *entry = entry_new(name, strlen(name));

	tree_name(&fixture->tenant.tree, folder, entry, inode, fixture->next_sequence++, 0);
	return entry;
}

static struct entry *find(struct fixture *fixture, struct folder *folder, const char *name)
{
	return tree_entry(&fixture->tenant.tree, folder, name, strlen(name));
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->next_number = ROOT;
	fixture->next_sequence = 1;
	fixture->mount.words = words_new();
	fixture->tenant.mount = &fixture->mount;
	fixture->tenant.root_inode = ROOT;
	assert_int_equal(tree_init(&fixture->tenant.tree), 0);
	fixture->tenant.tree.root = as_folder(add_inode(fixture, 'd'));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	tree_check(&fixture->tenant.tree);
	tree_release(&fixture->tenant.tree);
	words_free(fixture->mount.words);
	free(fixture);
	return 0;
}

static void entries_come_in_the_order_of_their_sequence_whatever_came_and_went(void **state)
{
	enum { COUNT = 5000 };
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct entry *entries[COUNT];
	char name[16];
	int64_t after = -1;
	int seen = 0;

	srand(7);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fixture->next_sequence = i * 7919 % COUNT;
		entries[i] = add_name(fixture, root, name, add_inode(fixture, 'f'));
	}
	for (int i = 0; i < COUNT; i += 3) {
		struct inode *inode = entries[i]->inode;

		inode->attributes.nlink = 0;
		tree_unname(&fixture->tenant.tree, entries[i], 0);
	}
	for (struct entry *entry; (entry = order_after(root, after)); seen++) {
		assert_true(entry->sequence > after);
		after = entry->sequence;
	}
	assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
	assert_int_equal(root->child_count, seen);
}

static void a_name_taken_away_is_known_not_to_be_there(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct inode *inode = add_inode(fixture, 'f');
	struct entry *entry = add_name(fixture, root, "report.pdf", inode);

	inode->attributes.nlink = 0;
	tree_unname(&fixture->tenant.tree, entry, 17);
	entry = find(fixture, root, "report.pdf");
	assert_non_null(entry);
	assert_null(entry->inode);
	assert_int_equal(entry->position, 17);
	assert_null(find(fixture, root, "other.pdf"));
}

static void an_inode_keeps_the_names_that_are_left(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct inode *inode = add_inode(fixture, 'f');
	struct entry *names[3];

	inode->attributes.nlink = 3;
	names[0] = add_name(fixture, root, "a", inode);
	names[1] = add_name(fixture, root, "b", inode);
	names[2] = add_name(fixture, root, "c", inode);
	tree_unname(&fixture->tenant.tree, names[1], 0);
	inode->attributes.nlink = 2;
	tree_check(&fixture->tenant.tree);
	assert_ptr_equal(find(fixture, root, "a")->inode, inode);
	assert_ptr_equal(find(fixture, root, "c")->inode, inode);
}

static void files_are_found_by_their_id(void **state)
{
	struct fixture *fixture = *state;
	struct inode *inode = add_inode(fixture, 'f');
	char id[FILE_ID_SIZE];

	add_name(fixture, fixture->tenant.tree.root, "a", inode);
	file_id_text(as_file(inode), id);
	assert_ptr_equal(tree_find_file(&fixture->tenant.tree, id), as_file(inode));
	id[5] ^= 1;
	assert_null(tree_find_file(&fixture->tenant.tree, id));
}

/* --- loads --- */

static struct loaded_entry loaded(const char *name, int64_t inode, int64_t sequence)
{
	struct loaded_entry row = {0};

	row.entry.name = (struct bytes){name, strlen(name)};
	row.entry.inode = row.node.inode = inode;
	row.entry.kind = row.node.kind = 'f';
	row.entry.sequence = sequence;
	row.entry.parent_inode = ROOT;
	row.node.nlink = 1;
	row.node.mode = 0644;
	snprintf(row.node.file_id, sizeof(row.node.file_id), "fs_%022lld", (long long)inode);
	return row;
}

static void a_loaded_name_becomes_an_entry_with_its_inode(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct loaded_entry row = loaded("a.txt", 5000000, 9);

	assert_int_equal(tree_insert_loaded(&fixture->tenant, root, &row), 0);
	assert_int_equal(find(fixture, root, "a.txt")->inode->number, 5000000);
	assert_int_equal(find(fixture, root, "a.txt")->inode->attributes.mode, S_IFREG | 0644);
}

static void a_load_that_began_before_a_removal_does_not_bring_the_name_back(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct inode *inode = add_inode(fixture, 'f');
	struct loaded_entry row = loaded("gone.txt", inode->number, 9);
	struct entry *entry = add_name(fixture, root, "gone.txt", inode);

	inode->attributes.nlink = 0;
	tree_unname(&fixture->tenant.tree, entry, 100);
	assert_int_equal(tree_insert_loaded(&fixture->tenant, root, &row), 0);
	assert_null(find(fixture, root, "gone.txt")->inode);
}

static void a_load_that_began_before_a_rename_does_not_make_a_second_name(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct inode *inode = add_inode(fixture, 'f');
	struct loaded_entry row = loaded("old.txt", inode->number, 9);

	tree_unname(&fixture->tenant.tree, add_name(fixture, root, "old.txt", inode), 100);
	add_name(fixture, root, "new.txt", inode);
	assert_int_equal(tree_insert_loaded(&fixture->tenant, root, &row), 0);
	assert_null(find(fixture, root, "old.txt")->inode);
	assert_ptr_equal(find(fixture, root, "new.txt")->inode, inode);
}

static void a_load_does_not_overwrite_attributes_that_memory_has(void **state)
{
	struct fixture *fixture = *state;
	struct folder *root = fixture->tenant.tree.root;
	struct inode *inode = add_inode(fixture, 'f');
	struct loaded_entry row = loaded("second", inode->number, 9);

	inode->attributes.nlink = 2;
	inode->attributes.size_bytes = 42;
	add_name(fixture, root, "first", inode);
	assert_int_equal(tree_insert_loaded(&fixture->tenant, root, &row), 0);
	assert_ptr_equal(find(fixture, root, "second")->inode, inode);
	assert_int_equal(inode->attributes.size_bytes, 42);
}

static void object_paths_survive_being_taken_apart(void **state)
{
	static const char *const ends[] = {"", ".pdf", ".7", ".7.pdf", ".12.7z", ".7z", "/x", ".tar.gz"};
	struct fixture *fixture = *state;
	char path[OBJECT_PATH_SIZE];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int64_t number = 6000000 + (int64_t)i;
		char name[8];
		struct loaded_entry row;
		struct file *file;

		snprintf(name, sizeof(name), "n%zu", i);
		row = loaded(name, number, (int64_t)i + 1);
		row.node.object_id = 1;
		snprintf(row.object.path, sizeof(row.object.path), "2026-11/%s%s", row.node.file_id, ends[i]);
		assert_int_equal(tree_insert_loaded(&fixture->tenant, fixture->tenant.tree.root, &row), 0);
		file = file_of(tree_find(&fixture->tenant.tree, number));
		object_path(file, &file->values, path);
		assert_string_equal(path, row.object.path);
	}
}

static void an_adopted_path_is_kept_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct loaded_entry row = loaded("a", 7000000, 1);
	char path[OBJECT_PATH_SIZE];
	struct file *file;

	row.node.object_id = 1;
	snprintf(row.object.path, sizeof(row.object.path), "2024-01/8a1c5f.PDF");
	assert_int_equal(tree_insert_loaded(&fixture->tenant, fixture->tenant.tree.root, &row), 0);
	file = file_of(tree_find(&fixture->tenant.tree, 7000000));
	object_path(file, &file->values, path);
	assert_string_equal(path, "2024-01/8a1c5f.PDF");
}

/* --- eviction --- */

static void what_is_pending_or_open_stays_when_the_cache_shrinks(void **state)
{
	struct fixture *fixture = *state;
	struct tree *tree = &fixture->tenant.tree;
	struct inode *clean = add_inode(fixture, 'f'), *pending = add_inode(fixture, 'f'), *open = add_inode(fixture, 'f');
	int64_t clean_number = clean->number;

	add_name(fixture, tree->root, "clean", clean);
	add_name(fixture, tree->root, "pending", pending)->position = 200;
	add_name(fixture, tree->root, "open", open);
	pending->position = 200;
	as_file(open)->open = (struct open_file *)(uintptr_t)1;
	tree_evict(tree, 0, 199, 1000);
	as_file(open)->open = NULL;
	assert_null(tree_find(tree, clean_number));
	assert_null(find(fixture, tree->root, "clean"));
	assert_ptr_equal(find(fixture, tree->root, "pending")->inode, pending);
	assert_ptr_equal(find(fixture, tree->root, "open")->inode, open);
	tree_evict(tree, 0, 200, 1000);
	assert_null(find(fixture, tree->root, "pending"));
}

static void a_folder_goes_only_after_what_lies_in_it(void **state)
{
	struct fixture *fixture = *state;
	struct tree *tree = &fixture->tenant.tree;
	struct folder *folder = as_folder(add_inode(fixture, 'd'));
	struct inode *file = add_inode(fixture, 'f');

	add_name(fixture, tree->root, "folder", &folder->inode);
	add_name(fixture, folder, "file", file);
	tree_name_absent(tree, folder, "nothing", 7);
	file->position = 10;
	tree_evict(tree, 0, 9, 1000);
	assert_non_null(find(fixture, tree->root, "folder"));
	tree_evict(tree, 0, 10, 1000);
	assert_null(find(fixture, tree->root, "folder"));
	assert_int_equal(tree->entries.count, 0);
	assert_int_equal(tree->inodes.count, 1);
}

static void an_evicted_name_makes_its_folder_incomplete(void **state)
{
	struct fixture *fixture = *state;
	struct tree *tree = &fixture->tenant.tree;

	tree->root->is_complete = true;
	add_name(fixture, tree->root, "a", add_inode(fixture, 'f'));
	tree_evict(tree, 0, 0, 10);
	assert_false(tree->root->is_complete);
	assert_int_equal(tree->root->drops, 1);
}

static void removed_names_are_forgotten_once_committed_and_their_folder_is_complete(void **state)
{
	struct fixture *fixture = *state;
	struct tree *tree = &fixture->tenant.tree;
	struct inode *inode = add_inode(fixture, 'f');
	struct entry *entry = add_name(fixture, tree->root, "a", inode);

	tree->root->is_complete = true;
	inode->attributes.nlink = 0;
	inode->is_gone = true;
	inode->position = 5;
	list_remove(&inode->used);
	list_append(&tree->gone, &inode->used);
	tree_unname(tree, entry, 5);
	tree_sweep(tree, 4);
	assert_int_equal(tree->inodes.count, 2);
	assert_int_equal(tree->entries.count, 1);
	tree_sweep(tree, 5);
	assert_int_equal(tree->inodes.count, 1);
	assert_int_equal(tree->entries.count, 0);
}

static void memory_is_given_back_in_the_measure_it_was_taken(void **state)
{
	struct fixture *fixture = *state;
	struct tree *tree = &fixture->tenant.tree;
	int64_t before = tree->bytes;
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		add_name(fixture, tree->root, name, add_inode(fixture, 'f'));
	}
	assert_true((tree->bytes - before) / 1000 <= 420);
	tree_evict(tree, 0, 0, 5000);
	assert_int_equal(tree->bytes, before);
}

#define tree_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(entries_come_in_the_order_of_their_sequence_whatever_came_and_went),
		tree_test(a_name_taken_away_is_known_not_to_be_there),
		tree_test(an_inode_keeps_the_names_that_are_left),
		tree_test(files_are_found_by_their_id),
		tree_test(a_loaded_name_becomes_an_entry_with_its_inode),
		tree_test(a_load_that_began_before_a_removal_does_not_bring_the_name_back),
		tree_test(a_load_that_began_before_a_rename_does_not_make_a_second_name),
		tree_test(a_load_does_not_overwrite_attributes_that_memory_has),
		tree_test(object_paths_survive_being_taken_apart),
		tree_test(an_adopted_path_is_kept_as_it_is),
		tree_test(what_is_pending_or_open_stays_when_the_cache_shrinks),
		tree_test(a_folder_goes_only_after_what_lies_in_it),
		tree_test(an_evicted_name_makes_its_folder_incomplete),
		tree_test(removed_names_are_forgotten_once_committed_and_their_folder_is_complete),
		tree_test(memory_is_given_back_in_the_measure_it_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
