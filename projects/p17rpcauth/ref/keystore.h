/* Users' secret keys, in memory that is never swapped, dumped or inherited. */
#ifndef KEYSTORE_H
#define KEYSTORE_H

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "keymap.h"

enum { USERS = 682 }; /* whose keys fit into 16 KiB, which every user may lock */

static struct key *secrets; /* the locked memory */

static struct user {
	bool known;
	uid_t uid;
	char public[PUBLIC + 1], name[NAME + 1];
} users[USERS]; /* each with the secret of the same number */

/* Keeps what else of this process holds a secret for a moment from the disk and from other
 * processes, as far as that is allowed. */
static void protect(void)
{
#ifndef __SANITIZE_ADDRESS__ /* looks for leaks by ptrace(2) */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

static void open_store(void)
{
	enum { SIZE = 16 << 10 };

	secrets = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secrets == MAP_FAILED || mlock(secrets, SIZE) == -1)
		die("memory for secret keys: mlock: %s", strerror(errno));
	madvise(secrets, SIZE, MADV_DONTDUMP);
	madvise(secrets, SIZE, MADV_DONTFORK);
}

/* -1 if there is none; with room, where one is to be. */
static int number_of(uid_t uid, bool room)
{
	int vacant = -1;

	for (int i = USERS - 1; i >= 0; i--) {
		if (users[i].known && users[i].uid == uid)
			return i;
		if (!users[i].known)
			vacant = i;
	}
	return room ? vacant : -1;
}

static void forget(uid_t uid)
{
	int i = number_of(uid, false);

	if (i == -1)
		return;
	explicit_bzero(&secrets[i], sizeof(secrets[i]));
	users[i].known = false;
}

/* Keeps a user's key in place of what it had; false: there is no room. */
static bool keep(uid_t uid, const struct key *secret, const char *public, const char *name)
{
	int i = number_of(uid, true);

	if (i == -1)
		return false;
	secrets[i] = *secret;
	users[i].known = true;
	users[i].uid = uid;
	strcpy(users[i].public, public);
	strcpy(users[i].name, name);
	return true;
}

#endif
