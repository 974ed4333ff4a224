#include "unp_kv.h"

enum clnt_stat unp_kv_put(uintptr_t client, kv_write_id id, char *key, u_int key_length, char *value,
			  u_int value_length, kv_write_result *result)
{
	kv_put_args args = {id, {key_length, key}, {value_length, value}};

	return kv_put_1(&args, result, (CLIENT *)client);
}
