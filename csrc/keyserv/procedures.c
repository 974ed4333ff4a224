#include "unp_keyserv.h"
#include "unp_sunrpc_server.h"

#include <string.h>

UNP_SUNRPC_PROCEDURE(keyserv_set_1_svc, keyserv_digits, keyserv_set_result)
UNP_SUNRPC_PROCEDURE(keyserv_encrypt_1_svc, keyserv_crypt_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_decrypt_1_svc, keyserv_crypt_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_gen_1_svc, void, keyserv_block)
UNP_SUNRPC_PROCEDURE(keyserv_getcred_1_svc, keyserv_netname, keyserv_cred_result)
UNP_SUNRPC_FREERESULT(keyserv_prog_1_freeresult)

UNP_SUNRPC_PROCEDURE(keyserv_set_2_svc, keyserv_digits, keyserv_set_result)
UNP_SUNRPC_PROCEDURE(keyserv_encrypt_2_svc, keyserv_crypt_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_decrypt_2_svc, keyserv_crypt_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_gen_2_svc, void, keyserv_block)
UNP_SUNRPC_PROCEDURE(keyserv_getcred_2_svc, keyserv_netname, keyserv_cred_result)
UNP_SUNRPC_PROCEDURE(keyserv_encrypt_pk_2_svc, keyserv_crypt_pk_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_decrypt_pk_2_svc, keyserv_crypt_pk_args, keyserv_crypt_result)
UNP_SUNRPC_PROCEDURE(keyserv_net_put_2_svc, keyserv_net, keyserv_set_result)
UNP_SUNRPC_PROCEDURE(keyserv_net_get_2_svc, void, keyserv_net_result)
UNP_SUNRPC_PROCEDURE(keyserv_get_conv_2_svc, keyserv_digits, keyserv_crypt_result)

/* A result with a secret key leaves none behind on the dispatcher's stack. */
int keyserv_prog_2_freeresult(SVCXPRT *transport, xdrproc_t xdr_result, caddr_t result)
{
	(void)transport;
	xdr_free(xdr_result, result);
	if (xdr_result == (xdrproc_t)xdr_keyserv_net_result)
		explicit_bzero(result, sizeof(keyserv_net_result));
	return TRUE;
}
