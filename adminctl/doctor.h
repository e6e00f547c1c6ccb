/* The parts of `adminctl doctor`: each looks at one dependency and says how it is and what to do. None takes longer
 * than seconds. */
#pragma once

struct listing;
struct session;

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_PROBLEM };

struct doctor {
	struct session *session;
	struct listing *listing;
	int warnings, problems;
};

/* One line of the report; advice may be NULL. */
void doctor_say(struct doctor *doctor, const char *part, enum doctor_state state, const char *advice,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

void doctor_database(struct doctor *doctor); /* server, schema, mounts and extractors as the database sees them */
void doctor_cache(struct doctor *doctor);
void doctor_storage(struct doctor *doctor);
void doctor_mount(struct doctor *doctor);
