#include "tests/unit/support/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	pid_t pid;
	FILE *commands, *answers;
	char database_url[256], redis_url[256], folder[256];
} services;

/* The script lies beside this source; tests run from the top of the repository or with TOP set. */
static _Noreturn void run_script(const char *names, int input, int output)
{
	char command[512];

	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	closefrom(3);
	snprintf(command, sizeof(command), "exec tests/unit/support/services %s", names);
	execl("/bin/bash", "bash", "-c", command, (char *)NULL);
	_exit(127);
}

static int read_line(char *line, size_t size)
{
	if (!fgets(line, (int)size, services.answers)) {
		fprintf(stderr, "# the private services did not start\n");
		return -1;
	}
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int services_start(const char *names)
{
	int to[2], from[2];

	if (pipe(to) < 0 || pipe(from) < 0)
		return -1;
	services.pid = fork();
	if (services.pid < 0)
		return -1;
	if (services.pid == 0)
		run_script(names, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	services.commands = fdopen(to[1], "w");
	services.answers = fdopen(from[0], "r");
	if (!services.commands || !services.answers)
		return -1;
	if (read_line(services.database_url, sizeof(services.database_url)) < 0 ||
	    read_line(services.redis_url, sizeof(services.redis_url)) < 0)
		return -1;
	return read_line(services.folder, sizeof(services.folder));
}

int services_stop(void)
{
	int status;

	if (services.commands)
		fclose(services.commands);
	if (services.answers)
		fclose(services.answers);
	services.commands = services.answers = NULL;
	return waitpid(services.pid, &status, 0) == services.pid ? 0 : -1;
}

const char *services_database_url(void)
{
	return services.database_url;
}

const char *services_redis_url(void)
{
	return services.redis_url;
}

const char *services_folder(void)
{
	return services.folder;
}

int services_do(const char *command)
{
	char answer[32];

	fprintf(services.commands, "%s\n", command);
	fflush(services.commands);
	return read_line(answer, sizeof(answer)) == 0 && strcmp(answer, "ok") == 0 ? 0 : -1;
}
