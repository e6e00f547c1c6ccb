UNIT_OBJECTS_tree_test := $(call objects,$(addprefix fusefs/,tree.c entry.c order.c evict.c tree_check.c load_rows.c words.c \
	user_attributes.c extraction.c))
UNIT_PART_tree_test := fusefs
