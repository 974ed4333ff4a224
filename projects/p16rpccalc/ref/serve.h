/* A calculator at the places that the command line names. */
#ifndef SERVE_H
#define SERVE_H

#include "registration.h"

/* What is called for the calls of a version. */
typedef void dispatcher(struct svc_req *, SVCXPRT *);

/* Where it is to be, and what it takes. */
static struct {
	bool wanted[TRANSPORTS];
	const char *path;
	long port; /* 0: any, and registered with rpcbind */
	long max_record;
} service = { .max_record = 64 * 1024 };

/* Names with commas between; to be called when the path is known. */
static void choose_transports(char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
		service.wanted[transport_named(name)] = true;
	if (!service.wanted[TCP] && !service.wanted[UDP] && !service.wanted[UNIX])
		bad_usage("--transport: at least one");
	if (service.wanted[UNIX] != !!service.path)
		bad_usage("--path and --transport unix go together");
}

static void open_transport(enum transport t, dispatcher *version_1, dispatcher *version_2)
{
	struct place p = t == UNIX ? at_path(service.path) : at_port(address, (unsigned)service.port);
	SVCXPRT *x = listen_at(t, p, 0600);

	if (!svc_reg(x, prog, CALC_VERS, version_1, NULL) || !svc_reg(x, prog, CALC_VERS2, version_2, NULL))
		die("%s: cannot make a service", names[t]);
}

/* Serves until a signal, and tells where. */
static void run(dispatcher *version_1, dispatcher *version_2)
{
	bool registers = !service.port && (service.wanted[TCP] || service.wanted[UDP]);
	sigset_t unblocked;

	prepare_signals(&unblocked);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* It also makes connections non-blocking: who sends half a record keeps nobody waiting. */
	rpc_control(RPC_SVC_CONNMAXREC_SET, &(int){ (int)service.max_record });
	if (registers)
		look_for_living();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (service.wanted[t])
			open_transport(t, version_1, version_2);
	if (registers)
		enter();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (service.wanted[t] && t == UNIX)
			printf("Serving program 0x%x at %s\n", prog, service.path);
		else if (service.wanted[t] && service.port)
			printf("Serving program 0x%x at %s port %u\n", prog, names[t], ours[t].port);
	serve(&unblocked);
	for (unsigned v = CALC_VERS; registers && v <= CALC_VERS2; v++)
		rpcb_unset(prog, v, NULL);
	if (service.path)
		unlink(service.path);
}

#endif
