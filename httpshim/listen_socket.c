#include "httpshim/listen_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "shared/base/cleanup.h"

enum { BACKLOG = 4096, HOST_SIZE = 128, PORT_SIZE = 16 };

static int open_unix(const char *path, int *ret_socket)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat stat;
	int fd autoclose = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* What a server that was killed left behind; anything that is no socket stays. */
	if (lstat(path, &stat) == 0 && S_ISSOCK(stat.st_mode) && unlink(path) < 0)
		return -errno;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_socket = take_fd(&fd);
	return 0;
}

static int split(const char *text, char host[HOST_SIZE], char port[PORT_SIZE])
{
	const char *colon = strrchr(text, ':');
	size_t length;

	if (!colon || strlen(colon + 1) >= PORT_SIZE || colon[1] == '\0')
		return -EINVAL;
	length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length >= HOST_SIZE)
		return -ENAMETOOLONG;
	memcpy(host, text, length);
	host[length] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return 0;
}

static int resolve(const char *text, struct addrinfo **ret_info)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	char host[HOST_SIZE], port[PORT_SIZE];
	int r;

	r = split(text, host, port);
	if (r < 0)
		return r;
	r = getaddrinfo(*host && strcmp(host, "*") != 0 ? host : NULL, port, &hints, ret_info);
	if (r == EAI_SYSTEM)
		return -errno;
	return r == 0 ? 0 : r == EAI_MEMORY ? -ENOMEM : -EINVAL;
}

static int open_info(const struct addrinfo *info, int *ret_socket)
{
	int fd autoclose = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (info->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_socket = take_fd(&fd);
	return 0;
}

int listen_socket_open(const char *address, int *ret_socket)
{
	struct addrinfo *info;
	int r;

	if (strncmp(address, "unix:", 5) == 0)
		return open_unix(address + 5, ret_socket);
	r = resolve(address, &info);
	if (r < 0)
		return r;
	r = open_info(info, ret_socket);
	freeaddrinfo(info);
	return r;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

bool listen_socket_is_local(const char *address)
{
	struct addrinfo *info;
	bool is_local = true;

	if (strncmp(address, "unix:", 5) == 0)
		return true;
	if (resolve(address, &info) < 0)
		return false;
	for (const struct addrinfo *at = info; at; at = at->ai_next)
		is_local = is_local && is_loopback(at->ai_addr);
	freeaddrinfo(info);
	return is_local;
}
