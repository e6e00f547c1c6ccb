#include "fusefs/quota.h"

#include <errno.h>
#include "fusefs/mount.h"
#include "fusefs/open_file.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/store/store.h"

int quota_check(const struct tenant *tenant, int64_t more_bytes, int64_t more_files)
{
	const struct tenant_row *row = &tenant->settings->row;
	const struct usage *usage = &tenant->usage;

	if (more_bytes > 0 || more_files > 0) {
		if (atomic_load_explicit(&tenant->mount->is_low_on_space, memory_order_relaxed))
			return -ENOSPC;
	}
	if (more_bytes > 0 && row->storage_quota_bytes >= 0 &&
	    usage->used_bytes + usage->provisional_bytes > row->storage_quota_bytes - more_bytes)
		return -EDQUOT;
	if (more_files > 0 && row->file_count_limit >= 0 &&
	    usage->file_count + usage->provisional_files > row->file_count_limit - more_files)
		return -EDQUOT;
	return 0;
}

int64_t quota_provisional(const struct file *file)
{
	int64_t live = file->inode.attributes.size_bytes;

	if (file->inode.is_unborn)
		return live + file->inode.user_attribute_bytes;
	return file->open && live > file->open->row_size ? live - file->open->row_size : 0;
}

void quota_recharge(struct tenant *tenant, struct file *file)
{
	int64_t charge;

	if (!file->open)
		return;
	charge = quota_provisional(file);
	tenant->usage.provisional_bytes += charge - file->open->charge;
	file->open->charge = charge;
}

void quota_look_at_disk(struct mount *mount)
{
	int64_t percent = config_int(mount->config, SETTING_STORAGE_EMERGENCY_PERCENT), now_ns = clock_monotonic_ns();
	int64_t last_ns = atomic_load_explicit(&mount->space_checked_ns, memory_order_relaxed);
	uint64_t free_bytes, total_bytes;
	bool is_low;

	if (percent == 0 || now_ns - last_ns < NS_PER_S)
		return;
	if (!atomic_compare_exchange_strong(&mount->space_checked_ns, &last_ns, now_ns))
		return;
	if (store_free_space(mount->store, &free_bytes, &total_bytes) < 0 || total_bytes == 0)
		return;
	is_low = (double)(total_bytes - free_bytes) * 100.0 >= (double)percent * (double)total_bytes;
	if (atomic_exchange(&mount->is_low_on_space, is_low) != is_low)
		log_warn(is_low ? "storage is at its emergency level, writes are refused" : "storage has room again",
			 "free_bytes", log_number(free_bytes));
}
