/* NOTIFY, as it arrives on a LISTENing connection. */
#include <errno.h>
#include <stdio.h>
#include "shared/db/db_connection.h"

static bool take(struct db *db, char *ret_channel, size_t channel_size, char *ret_payload, size_t payload_size)
{
	PGnotify *notification = PQnotifies(db->connection);

	if (!notification)
		return false;
	snprintf(ret_channel, channel_size, "%s", notification->relname);
	snprintf(ret_payload, payload_size, "%s", notification->extra);
	PQfreemem(notification);
	return true;
}

int db_next_notification(struct db *db, char *ret_channel, size_t channel_size, char *ret_payload, size_t payload_size)
{
	if (!db->connection)
		return -EAGAIN;
	/* What earlier calls read with their answers comes first. */
	if (take(db, ret_channel, channel_size, ret_payload, payload_size))
		return 1;
	if (PQconsumeInput(db->connection) != 1)
		return db_lose(db, PQerrorMessage(db->connection));
	return take(db, ret_channel, channel_size, ret_payload, payload_size) ? 1 : 0;
}
