/* doctor: what is reachable, what is not, and what to do about it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include "adminctl/command.h"
#include "adminctl/doctor.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/config/config.h"

static const struct column columns[] = {
	{"part", "PART", COLUMN_LEFT},
	{"state", "STATE", COLUMN_LEFT},
	{"detail", "DETAIL", COLUMN_LEFT},
	{"advice", "WHAT TO DO", COLUMN_LEFT},
	{NULL, NULL, 0},
};

void doctor_say(struct doctor *doctor, const char *part, enum doctor_state state, const char *advice,
		const char *format, ...)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_PROBLEM] = "problem"};
	char detail[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	listing_text(doctor->listing, part);
	listing_text(doctor->listing, names[state]);
	listing_text(doctor->listing, detail);
	listing_text(doctor->listing, advice);
	doctor->warnings += state == DOCTOR_WARNING;
	doctor->problems += state == DOCTOR_PROBLEM;
}

static void check_settings(struct doctor *doctor)
{
	char reason[512];

	if (config_check(doctor->session->config, PROGRAM_FUSEFS | PROGRAM_EXTRACTD, reason, sizeof(reason)) < 0)
		doctor_say(doctor, "settings", DOCTOR_PROBLEM, "`adminctl config show` says where each comes from.",
			   "%s", reason);
	else
		doctor_say(doctor, "settings", DOCTOR_OK, NULL, "complete for fusefs and extractd");
}

static void check_fuse(struct doctor *doctor)
{
	if (access("/dev/fuse", F_OK) < 0)
		doctor_say(doctor, "FUSE", DOCTOR_PROBLEM,
			   "modprobe fuse; in a container: --device /dev/fuse --cap-add SYS_ADMIN.",
			   "there is no /dev/fuse");
	else
		doctor_say(doctor, "FUSE", DOCTOR_OK, NULL, "/dev/fuse is there");
}

static int run(struct session *session, const struct arguments *arguments)
{
	autolisting struct listing *listing = listing_new(columns);
	struct doctor doctor = {.session = session, .listing = listing};

	(void)arguments;
	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	check_settings(&doctor);
	doctor_database(&doctor);
	doctor_cache(&doctor);
	doctor_storage(&doctor);
	check_fuse(&doctor);
	doctor_mount(&doctor);
	if (listing_print(listing, session->wants_json, "", stdout) != 0)
		return EXIT_UNAVAILABLE;
	return doctor.problems > 0 ? EXIT_FINDINGS : EXIT_DONE;
}

const struct command cmd_doctor = {
	.group = "doctor",
	.name = "",
	.arguments = "",
	.sentence = "Say what is reachable, what is not, and what to do.",
	.details = "Exit code 1 when there is a problem; warnings do not count.",
	.run = run,
};
