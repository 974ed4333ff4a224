/*
 * calc_peer server NETWORK ADDRESS  serves calc.x as a program over libtirpc does, and
 *                                   prints a line when it can be called; port 0 is chosen
 *                                   by the kernel and printed
 * calc_peer client NETWORK ADDRESS FLAVOR  calls a server and prints what comes
 *
 * NETWORK is tcp, udp or unix, ADDRESS a port of 127.0.0.1 or a path, FLAVOR none or sys.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../../csrc/calc/calc_clnt.c"
#include "../../../csrc/calc/calc_svc.c"
#include "../../../csrc/calc/calc_xdr.c"

#define TRY(x) ((x) ? (void)0 : (perror(#x), exit(1)))

static int open_socket(const char *network, const char *address, struct sockaddr_storage *at, socklen_t *length)
{
	int type = strcmp(network, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	int fd;

	memset(at, 0, sizeof *at);
	if (strcmp(network, "unix") == 0) {
		struct sockaddr_un *un = (struct sockaddr_un *)at;
		un->sun_family = AF_UNIX;
		snprintf(un->sun_path, sizeof un->sun_path, "%s", address);
		*length = sizeof *un;
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)at;
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons(atoi(address));
		*length = sizeof *in;
	}
	TRY((fd = socket(at->ss_family, type, 0)) >= 0);
	return fd;
}

bool_t add_1_svc(operands *argp, int *result, struct svc_req *req)
{
	(void)req;
	*result = argp->a + argp->b;
	return TRUE;
}

bool_t subtract_1_svc(operands *argp, int *result, struct svc_req *req)
{
	struct authunix_parms *who = (struct authunix_parms *)req->rq_clntcred;

	(void)argp;
	if (req->rq_cred.oa_flavor != AUTH_SYS) {
		svcerr_weakauth(req->rq_xprt);
		return FALSE;
	}
	*result = who->aup_uid * 1000 + who->aup_gid * 10 + who->aup_len;
	return TRUE;
}

bool_t multiply_1_svc(operands *argp, int *result, struct svc_req *req)
{
	(void)argp;
	*result = 0;
	svcerr_systemerr(req->rq_xprt);
	return FALSE;
}

int calc_prog_1_freeresult(SVCXPRT *transport, xdrproc_t xdr_result, caddr_t result)
{
	(void)transport;
	xdr_free(xdr_result, result);
	return TRUE;
}

bool_t add_2_svc(operands *argp, calc_result *result, struct svc_req *req)
{
	(void)req;
	result->status = CALC_OVERFLOW;
	if (!__builtin_add_overflow(argp->a, argp->b, &result->calc_result_u.value))
		result->status = CALC_OK;
	return TRUE;
}

#define SAME_AS_ADD(name)                                                      \
	bool_t name(operands *argp, calc_result *result, struct svc_req *req)  \
	{                                                                      \
		return add_2_svc(argp, result, req);                           \
	}

SAME_AS_ADD(subtract_2_svc)
SAME_AS_ADD(multiply_2_svc)
SAME_AS_ADD(divide_2_svc)
SAME_AS_ADD(remainder_2_svc)

bool_t evaluate_2_svc(expression *argp, calc_result *result, struct svc_req *req)
{
	(void)req;
	result->status = CALC_OK;
	result->calc_result_u.value = 0;
	for (u_int i = 0; i < argp->expression_len; i++)
		result->calc_result_u.value += argp->expression_val[i].token_u.number;
	return TRUE;
}

int calc_prog_2_freeresult(SVCXPRT *transport, xdrproc_t xdr_result, caddr_t result)
{
	return calc_prog_1_freeresult(transport, xdr_result, result);
}

static int serve(const char *network, const char *address)
{
	struct sockaddr_storage at;
	socklen_t length;
	int fd = open_socket(network, address, &at, &length);
	SVCXPRT *transport;

	TRY(bind(fd, (struct sockaddr *)&at, length) == 0);
	if (strcmp(network, "udp") == 0) {
		TRY((transport = svc_dg_create(fd, 0, 0)) != NULL);
	} else {
		TRY(listen(fd, 100) == 0);
		TRY((transport = svc_vc_create(fd, 0, 0)) != NULL);
	}
	TRY(svc_register(transport, CALC_PROG, CALC_VERS, calc_prog_1, 0));
	TRY(svc_register(transport, CALC_PROG, CALC_VERS2, calc_prog_2, 0));
	length = sizeof at;
	TRY(getsockname(fd, (struct sockaddr *)&at, &length) == 0);
	printf("%d\n", ntohs(((struct sockaddr_in *)&at)->sin_port));
	fflush(stdout);
	svc_run();
	return 1;
}

static CLIENT *dial(const char *network, const char *address, int version, const char *flavor)
{
	struct sockaddr_storage at;
	socklen_t length;
	int fd = open_socket(network, address, &at, &length);
	struct netbuf to = {.buf = &at, .len = length, .maxlen = sizeof at};
	gid_t gids[] = {11, 12};
	CLIENT *c;

	TRY(connect(fd, (struct sockaddr *)&at, length) == 0);
	if (strcmp(network, "udp") == 0)
		TRY((c = clnt_dg_create(fd, &to, CALC_PROG, version, 0, 0)) != NULL);
	else
		TRY((c = clnt_vc_create(fd, &to, CALC_PROG, version, 0, 0)) != NULL);
	if (strcmp(flavor, "sys") == 0)
		TRY((c->cl_auth = authunix_create("peer", 7, 8, 2, gids)) != NULL);
	return c;
}

static void show(const char *what, CLIENT *c, enum clnt_stat status, int value)
{
	struct rpc_err err;

	clnt_geterr(c, &err);
	if (status == RPC_SUCCESS)
		printf("%s %d\n", what, value);
	else if (status == RPC_AUTHERROR)
		printf("%s refused: %d\n", what, err.re_why);
	else if (status == RPC_PROGVERSMISMATCH)
		printf("%s versions: %d to %d\n", what, (int)err.re_vers.low, (int)err.re_vers.high);
	else
		printf("%s status %d\n", what, status);
}

static int call(const char *network, const char *address, const char *flavor)
{
	operands five_three = {5, 3};
	token tokens[CALC_MAX_TOKENS];
	expression all = {CALC_MAX_TOKENS, tokens};
	calc_result r = {0};
	enum clnt_stat status;
	int n = 0;

	CLIENT *one = dial(network, address, 1, flavor);
	status = add_1(&five_three, &n, one);
	show("add", one, status, n);
	status = subtract_1(&five_three, &n, one);
	show("who", one, status, n);
	status = multiply_1(&five_three, &n, one);
	show("error", one, status, n);

	CLIENT *two = dial(network, address, 2, flavor);
	for (int i = 0; i < CALC_MAX_TOKENS; i++)
		tokens[i] = (token){.kind = TOKEN_NUMBER, .token_u.number = i};
	status = evaluate_2(&all, &r, two);
	show("sum", two, status, r.calc_result_u.value);
	five_three.a = 0x7fffffff;
	status = add_2(&five_three, &r, two);
	show("overflow", two, status, r.status);

	CLIENT *nine = dial(network, address, 9, flavor);
	status = add_2(&five_three, &r, nine);
	show("nine", nine, status, 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "server") == 0)
		return serve(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "client") == 0)
		return call(argv[2], argv[3], argv[4]);
	return 2;
}
