/*
 * The folder of the journals as a whole:
 *
 *   <base>/.tenantfs/journal/id        which folder this is, for the leases
 *   <base>/.tenantfs/journal/reserve   room for the journals when the disk is full
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { JOURNAL_BASE_ID_SIZE = 33, JOURNAL_BOOT_ID_SIZE = 40 };

/* This start of the machine, as the kernel names it, the rest zeros; "" when it does not. */
void boot_id_read(char ret_boot_id[JOURNAL_BOOT_ID_SIZE]);

/*
 * The right to write journals here, for one process of this machine: held until *ret_lock_fd is closed, or its process
 * is gone, however it went. -EBUSY: another has it.
 */
int journal_lock(int journal_dir_fd, int *ret_lock_fd);
/* 32 random hex digits, made at the first call (by who has the lock), that go where the folder goes. -EBADMSG: damaged.
 */
int journal_base_id(int journal_dir_fd, char ret_id[JOURNAL_BASE_ID_SIZE]);
/* Whether only this machine can be writing here: no network or cluster file system. */
bool journal_base_is_local(int journal_dir_fd);

/* Makes the reserve file if it is not there and the disk has room: 1 MiB at least stays free beside it. -ENOSPC: it has
 * not. */
int journal_reserve_fill(int journal_dir_fd, uint64_t bytes);
