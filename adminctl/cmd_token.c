/* token create, inspect: the bearer tokens of the HTTP API. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "adminctl/command.h"
#include "adminctl/listing.h"
#include "adminctl/session.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/text.h"
#include "shared/config/config.h"
#include "shared/model/jwt.h"
#include "shared/model/rows.h"

static int load_key(const struct session *session, struct jwt_key **ret_key)
{
	char reason[256];
	const char *secret;

	if (config_require(session->config, SETTING_SECRET_KEY, reason, sizeof(reason)) < 0)
		return complain(EXIT_USAGE, "httpshim and adminctl must have the same one, of 32 bytes at least.", "%s",
				reason);
	secret = config_string(session->config, SETTING_SECRET_KEY);
	if (jwt_key_new(secret, strlen(secret), ret_key) < 0)
		return complain(EXIT_USAGE, NULL, "SECRET_KEY is too short: 32 bytes at least");
	return 0;
}

static void free_key(struct jwt_key **key)
{
	jwt_key_free(*key);
}

/* --- create
 * ------------------------------------------------------------------------------------------------------------ */

enum create_option { OPTION_SUB, OPTION_TENANT, OPTION_ROLE, OPTION_TTL };
static const struct option create_options[] = {
	[OPTION_SUB] = {"sub", "NAME", "Who it is for; what user.tenantfs.uploaded_by shows. Required."},
	[OPTION_TENANT] = {"tenant", "CODE", "The tenant it opens; * for all; without it DEFAULT_TENANT."},
	[OPTION_ROLE] = {"role", "ROLE", "reader, user (default) or admin."},
	[OPTION_TTL] = {"ttl", "TIME", "How long it is good: 8h, 30d (default ACCESS_TOKEN_EXPIRE_MINUTES)."},
	{NULL, NULL, NULL},
};

static int copy_claim(const char *option, const char *value, char *ret_claim, size_t size)
{
	if (strlen(value) >= size || !utf8_is_valid(value, strlen(value)))
		return complain(EXIT_USAGE, NULL, "--%s is too long, or no UTF-8", option);
	memcpy(ret_claim, value, strlen(value) + 1);
	return 0;
}

static int read_lifetime(const struct session *session, const char *ttl, int64_t *ret_seconds)
{
	int64_t ttl_ms;

	if (ttl == NULL) {
		*ret_seconds = config_int(session->config, SETTING_ACCESS_TOKEN_EXPIRE_MINUTES) * 60;
		return 0;
	}
	if (duration_parse(ttl, &ttl_ms) < 0 || ttl_ms < 1000)
		return complain(EXIT_USAGE, NULL, "--ttl %s is no time of a second or more: 90s, 8h, 30d", ttl);
	*ret_seconds = ttl_ms / 1000;
	return 0;
}

/* A token of its own number each, so that one can be told from another in a log. */
static int make_id(char *ret_id, size_t size)
{
	unsigned char random[16];

	if (size < 2 * sizeof(random) + 1 || RAND_bytes(random, sizeof(random)) != 1)
		return complain(EXIT_UNAVAILABLE, NULL, "no random bytes");
	hex_encode(random, sizeof(random), ret_id);
	return 0;
}

static int read_claims(const struct session *session, const char *const *given, int64_t now_s,
		       struct jwt_claims *claims)
{
	const char *tenant = given[OPTION_TENANT];
	int64_t lifetime_s = 0;
	int r;

	if (given[OPTION_SUB] == NULL || given[OPTION_SUB][0] == '\0')
		return complain(EXIT_USAGE, NULL, "--sub is required: whom is the token for?");
	r = copy_claim("sub", given[OPTION_SUB], claims->subject, sizeof(claims->subject));
	if (r == 0 && tenant != NULL && strcmp(tenant, "*") != 0 && !tenant_code_is_valid(tenant))
		r = complain(EXIT_USAGE, NULL, "--tenant %s is no tenant code", tenant);
	if (r == 0 && tenant != NULL)
		r = copy_claim("tenant", tenant, claims->tenant, sizeof(claims->tenant));
	claims->role = given[OPTION_ROLE] != NULL ? role_parse(given[OPTION_ROLE]) : ROLE_USER;
	if (r == 0 && claims->role == ROLE_NONE)
		r = complain(EXIT_USAGE, NULL, "--role %s is none: reader, user, admin", given[OPTION_ROLE]);
	if (r == 0)
		r = read_lifetime(session, given[OPTION_TTL], &lifetime_s);
	if (r != 0)
		return r;
	claims->expires_at_s = now_s + lifetime_s;
	return make_id(claims->id, sizeof(claims->id));
}

static int run_create(struct session *session, const struct arguments *arguments)
{
	struct jwt_key *key cleanup(free_key) = NULL;
	autobuf struct buf token = BUF_INIT(JWT_TOKEN_BYTES_MAX);
	struct jwt_claims claims = {0};
	int64_t now_s = clock_realtime_ns() / NS_PER_S;
	char expires[CLOCK_RFC3339_SIZE];
	int r = load_key(session, &key);

	if (r == 0)
		r = read_claims(session, arguments->options, now_s, &claims);
	if (r != 0)
		return r;
	if (jwt_create(key, &claims, now_s, &token) < 0)
		return complain(EXIT_UNAVAILABLE, NULL, "the token could not be made");
	clock_format_rfc3339(claims.expires_at_s * NS_PER_S, expires);
	if (session->wants_json)
		printf("{\"token\": \"%s\", \"id\": \"%s\", \"expires_at\": \"%s\"}\n", token.data, claims.id, expires);
	else
		puts(token.data);
	return EXIT_DONE;
}

/* --- inspect
 * ----------------------------------------------------------------------------------------------------------- */

static const struct column inspect_columns[] = {
	{"sub", "For", COLUMN_LEFT},
	{"tenant", "Tenant", COLUMN_LEFT},
	{"role", "Role", COLUMN_LEFT},
	{"id", "Id", COLUMN_LEFT},
	{"expires_at", "Good until", COLUMN_LEFT},
	{"is_valid", "Good now", COLUMN_LEFT},
	{"reason", "Why not", COLUMN_LEFT},
	{NULL, NULL, 0},
};

static int print_claims(const struct session *session, const struct jwt_claims *claims, int verdict)
{
	autolisting struct listing *listing = listing_new(inspect_columns);
	bool is_known = claims->subject[0] != '\0';

	if (listing == NULL)
		return complain(EXIT_UNAVAILABLE, NULL, "out of memory");
	listing_text(listing, is_known ? claims->subject : NULL);
	listing_text(listing, claims->tenant[0] != '\0' ? claims->tenant : NULL);
	listing_text(listing, is_known ? role_name(claims->role) : NULL);
	listing_text(listing, claims->id[0] != '\0' ? claims->id : NULL);
	listing_time(listing, claims->expires_at_s * NS_PER_S);
	listing_bool(listing, verdict == 0);
	listing_text(listing, verdict == 0 ? NULL : jwt_reason(verdict));
	listing_print_one(listing, session->wants_json, stdout);
	return verdict == 0 ? EXIT_DONE : EXIT_FINDINGS;
}

static int run_inspect(struct session *session, const struct arguments *arguments)
{
	struct jwt_key *key cleanup(free_key) = NULL;
	char line[JWT_TOKEN_BYTES_MAX + 2] = "";
	const char *token = arguments->count > 0 ? arguments->values[0] : line;
	struct jwt_claims claims = {0};
	int r = load_key(session, &key);

	if (r != 0)
		return r;
	/* From stdin it stays out of `ps` and of the shell's history. */
	if (token == line && fgets(line, sizeof(line), stdin) != NULL)
		line[strcspn(line, "\r\n")] = '\0';
	r = jwt_verify(key, token, strlen(token), clock_realtime_ns() / NS_PER_S, &claims);
	return print_claims(session, &claims, r);
}

const struct command cmd_token_create = {
	.group = "token",
	.name = "create",
	.arguments = "",
	.sentence = "Issue a bearer token for the HTTP API (HS256, signed with SECRET_KEY).",
	.options = create_options,
	.run = run_create,
};

const struct command cmd_token_inspect = {
	.group = "token",
	.name = "inspect",
	.arguments = "[TOKEN]",
	.arguments_max = 1,
	.sentence = "Say what a token opens and whether it is good; without TOKEN it is read from stdin.",
	.run = run_inspect,
};
