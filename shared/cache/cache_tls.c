/* TLS to Redis, where hiredis has it (libhiredis_ssl: Debian 13, Ubuntu 24.04; not Debian 12). */
#include <errno.h>
#include "shared/cache/cache_connection.h"

#ifdef HAVE_HIREDIS_SSL
#include <openssl/ssl.h>
#include <pthread.h>
#include <hiredis/hiredis_ssl.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static SSL_CTX *tls;

static void prepare(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_default_verify_paths(context) != 1 ||
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
		SSL_CTX_free(context);
		return;
	}
	tls = context;
}

bool cache_tls_is_there(void)
{
	return true;
}

int cache_tls_start(redisContext *context, const char *host)
{
	SSL *session;

	pthread_once(&once, prepare);
	session = tls ? SSL_new(tls) : NULL;
	if (!session)
		return -EAGAIN;
	/* hiredis' own context would verify the certificate, but not whose it is. */
	if (SSL_set1_host(session, host) != 1 || SSL_set_tlsext_host_name(session, host) != 1) {
		SSL_free(session);
		return -EAGAIN;
	}
	if (redisInitiateSSL(context, session) == REDIS_OK)
		return 0;
	SSL_free(session); /* only a connection that came about has taken it over */
	return -EAGAIN;
}
#else
bool cache_tls_is_there(void)
{
	return false;
}

int cache_tls_start(redisContext *context, const char *host)
{
	(void)context;
	(void)host;
	return -EPROTONOSUPPORT;
}
#endif
