/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model of the life of shares: the host's books and broker as share.c,
 * share_broker.c and share_pages.c in kernel/src/kernel/multikernel have them,
 * an owner, and grantees that attach, detach, own in their turn, die between any
 * two of their steps, and are started again. Requests go through rings: in
 * order, while the asking kernel may give up waiting, or die, and leave them
 * there. The pool has as many pages as there may be shares; a page stands for
 * all memory of a share.
 *
 * Proved over all interleavings:
 *	reuse		memory goes back to the pool only when no kernel has it
 *			mapped, and only what is scrubbed is given out again
 *	generation	who asks for a generation gets that one or a refusal
 *	revoke		when a revoke says that nobody has it attached, the
 *			grantee has no mapping
 *	no leak		when all kernels have ended, whenever and in whatever
 *			order, the books are empty and all pages are back;
 *			with -DWILLING the same without any death
 *	progress	nobody waits for ever
 *
 * docs/models.md says which function each step stands for.
 *
 *	holds: one-grantee	-DKERNELS=2 -DBUDGET=2 -DLATES=2
 *	holds: restart		-DKERNELS=2 -DBUDGET=1 -DRESTARTS=1 -DLATES=1
 *	holds: two-grantees	-DKERNELS=3 -DBUDGET=1 -DLATES=1
 *	holds: willing		-DKERNELS=3 -DBUDGET=1 -DWILLING -DLATES=0
 *	fails: reuse-at-revoke	-DBROKEN_REUSE_AT_REVOKE
 *	fails: reuse-at-death	-DBROKEN_GONE_FIRST
 *	fails: detach-first	-DBROKEN_DETACH_FIRST
 *	fails: late-request	-DBROKEN_NO_CALLER_CHECK
 *	fails: late-detach	-DRESTARTS=1 -DBROKEN_CALLER_BY_NAME
 *	fails: attach-forgotten	-DWILLING -DBROKEN_NO_DETACH_AFTER_TIMEOUT
 *	fails: no-generation	-DRESTARTS=1 -DBROKEN_NO_GENERATION
 *	fails: making-forgotten	-DBROKEN_FINISH_BLINDLY
 *	fails: not-told		-DWILLING -DBROKEN_NOT_TOLD
 *	fails: gone-keeps	-DBROKEN_GONE_KEEPS
 *	fails: destroy-keeps	-DBROKEN_DESTROY_KEEPS
 */
#ifndef KERNELS
#define KERNELS		2	/* the owner is 0 */
#endif
#ifndef SHARES
#define SHARES		2	/* and pages */
#endif
#ifndef BUDGET
#define BUDGET		2	/* things that one start of a kernel does */
#endif
#ifndef OWNER_BUDGET
#define OWNER_BUDGET	BUDGET
#endif
#ifndef RESTARTS
#define RESTARTS	0	/* of all kernels together */
#endif
#ifndef LATES
#define LATES		1	/* answers that are not waited for, of all kernels */
#endif
#define NONE		255

/* The books of the host; a step on them is atomic: mk_share_lock */
#define FREE		0	/* no such share */
#define LIVE		1
#define REVOKED		2
#define ORPHANED	3
typedef share {
	byte state;
	byte generation;
	byte owner;
	byte page;		/* NONE: not there yet */
	bool making;
	byte number[KERNELS];	/* of the attachment, 0: none */
	bool party[KERNELS];
	bool revoked[KERNELS];
};
share s[SHARES];
byte generation;
bool taken[SHARES];		/* pages that the pool has given out */
chan over = [SHARES] of { byte };	/* pages of shares that are over */

/* The kernels */
byte epoch[KERNELS];
bool up[KERNELS];		/* the peer of that epoch */
byte mapped[KERNELS];		/* page + 1 */
bool told[KERNELS];		/* an event: detach, please */
bool ended[KERNELS];
byte restarts = RESTARTS;
byte lates = LATES;

/* Rings, of each start its own: what is asked, number of the call, of what */
mtype = { CREATE, GRANT, GIVE, REVOKE, REVOKE_ALL, ATTACH, DETACH };
#define EPOCHS		(RESTARTS + 1)
chan asked[KERNELS * EPOCHS] = [3] of { mtype, byte, byte, byte, byte };
#define RING(k, e)	((k) * EPOCHS + (e))
/* number of the call, 1: yes, page, generation */
chan answered[KERNELS] = [LATES + 1] of { byte, bool, byte, byte };

/* ---- share.c ---- */

inline pend(i, k)
{
#ifndef BROKEN_NOT_TOLD
	if
	:: s[i].number[k] -> told[k] = true
	:: else
	fi
#else
	skip
#endif
}

inline pend_all(i)
{
	j = 0;
	do
	:: j < KERNELS -> pend(i, j); j++
	:: else -> j = 0; break
	od
}

inline party_settle(i, k)
{
	if
	:: s[i].revoked[k] && !s[i].number[k] && k != s[i].owner ->
		s[i].revoked[k] = false;
		s[i].party[k] = false
	:: else
	fi
}

#define IS_HELD(i)	(s[i].number[0] || s[i].number[1] || \
			 (KERNELS > 2 && s[i].number[KERNELS - 1]))
#ifdef BROKEN_REUSE_AT_REVOKE
#define HOLDS_IT(i)	(s[i].state == ORPHANED && IS_HELD(i))
#else
#define HOLDS_IT(i)	IS_HELD(i)
#endif

/* mk_share_settle(): its number may be used again from here on */
inline settle(i)
{
	if
	:: s[i].state >= REVOKED && !s[i].making && !HOLDS_IT(i) ->
		if
		:: s[i].page != NONE -> over!s[i].page
		:: else
		fi;
		forget(i)
	:: else
	fi
}

inline forget(i)
{
	s[i].state = FREE;
	s[i].generation = 0;
	s[i].owner = 0;
	s[i].page = NONE;
	j = 0;
	do
	:: j < KERNELS ->
		s[i].number[j] = 0;
		s[i].party[j] = false;
		s[i].revoked[j] = false;
		j++
	:: else -> j = 0; break
	od
}

inline add_att(i, k, n)
{
	if
	:: s[i].state == LIVE && s[i].party[k] && !s[i].revoked[k] &&
	   !s[i].number[k] ->
		s[i].number[k] = n;
		yes = true
	:: else
	fi
}

inline drop_att(k, n)
{
	i = 0;
	do
	:: i < SHARES && s[i].state != FREE && s[i].number[k] == n ->
		s[i].number[k] = 0;
		yes = true;
		party_settle(i, k);
		settle(i);
		break
	:: i < SHARES && !(s[i].state != FREE && s[i].number[k] == n) -> i++
	:: i == SHARES -> break
	od;
	i = 0
}

inline revoke_party(i, k)
{
	if
	:: s[i].party[k] && k != s[i].owner ->
		if
		:: !s[i].revoked[k] -> pend(i, k)
		:: else
		fi;
		s[i].revoked[k] = true;
		yes = !s[i].number[k];
		assert(!yes || mapped[k] != s[i].page + 1);
		party_settle(i, k)
	:: else
	fi
}

inline revoke_all(i)
{
	if
	:: s[i].state == LIVE ->
		s[i].state = REVOKED;
		pend_all(i)
	:: else
	fi;
	yes = !IS_HELD(i);
	settle(i)
}

inline set_owner(i, k)
{
	if
	:: s[i].owner != k ->
		from = s[i].owner;
		s[i].party[k] = true;
		s[i].revoked[k] = false;
		s[i].owner = k;
		s[i].revoked[from] = true;
		generation++;
		s[i].generation = generation;
		party_settle(i, from);
		from = 0;
		yes = true
	:: else
	fi
}

/* mk_share_kernel_gone() */
inline kernel_gone(k)
{
	i = 0;
	do
	:: i < SHARES ->
		if
		:: s[i].state != FREE && s[i].party[k] ->
#ifndef BROKEN_GONE_KEEPS
			s[i].number[k] = 0;
#endif
			if
			:: s[i].state == LIVE && s[i].owner == k ->
				s[i].state = ORPHANED;
				pend_all(i)
			:: else
			fi;
			party_settle(i, k);
			settle(i)
		:: else
		fi;
		i++
	:: else -> i = 0; break
	od
}

/* ---- share_broker.c ---- */

#if defined(BROKEN_NO_CALLER_CHECK)
#define CALLER_OK(k, e)	true
#elif defined(BROKEN_CALLER_BY_NAME)
#define CALLER_OK(k, e)	up[k]
#else
#define CALLER_OK(k, e)	(up[k] && epoch[k] == e)
#endif

#ifdef BROKEN_NO_GENERATION
#define FRESH(i, g)	true
#else
#define FRESH(i, g)	(s[i].generation == g)
#endif

#define FOUND(i, g)	(s[i].state != FREE && !s[i].making && FRESH(i, g))

/* mk_peer_answer(): to the start that asked, if it still runs */
inline answer(k, e, c, page, g)
{
	if
	:: c && up[k] && epoch[k] == e && len(answered[k]) <= LATES ->
		answered[k]!c, yes, page, g
	:: else
	fi
}

/* mk_share_begin() */
inline begin(k, e)
{
	i = 0;
	do
	:: i < SHARES && s[i].state != FREE -> i++
	:: else -> break
	od;
	if
	:: i < SHARES && CALLER_OK(k, e) ->
		generation++;
		s[i].state = LIVE;
		s[i].generation = generation;
		s[i].owner = k;
		s[i].party[k] = true;
		s[i].page = NONE;
		s[i].making = true;
		yes = true
	:: else
	fi
}

/* mk_share_take(): mk_pool_take(), and the share gets it */
inline take(i)
{
	page = 0;
	do
	:: page < SHARES && taken[page] -> page++
	:: else -> break
	od;
	if
	:: page < SHARES -> taken[page] = true; s[i].page = page
	:: else -> yes = false
	fi
}

/* mk_share_finish() */
inline finish(i)
{
#ifndef BROKEN_FINISH_BLINDLY
	yes = yes && s[i].state == LIVE;
#endif
	if
	:: !yes -> s[i].state = REVOKED
	:: else -> s[i].state = LIVE
	fi;
	page = s[i].page;
	g = s[i].generation;
	s[i].making = false;
	settle(i)
}

/* mk_ask_owner(), mk_ask_revoke_owner() */
#define OWNS(i, k)	(s[i].owner == k)

/* mk_ask_peer(): until DESTROY */
#define EXISTS(k)	(!ended[k])

inline handle(k, what, e, x, g, y)
{
	page = 0;
	if
	:: !CALLER_OK(k, e)
	:: else ->
		if
		:: what == DETACH -> drop_att(k, x)
		:: what != DETACH && !FOUND(x, g)
		:: what == ATTACH && FOUND(x, g) ->
			add_att(x, k, y);
			page = s[x].page;
			g = s[x].generation
		:: what == GRANT && FOUND(x, g) ->
			if
			:: OWNS(x, k) && s[x].state == LIVE && !s[x].party[y] ->
				s[x].party[y] = true; yes = true
			:: else
			fi
		:: what == GIVE && FOUND(x, g) ->
			if
			:: OWNS(x, k) && s[x].state == LIVE && EXISTS(y) ->
				set_owner(x, y)
			:: else
			fi
		:: what == REVOKE && FOUND(x, g) ->
			if
			:: OWNS(x, k) -> revoke_party(x, y)
			:: else
			fi
		:: what == REVOKE_ALL && FOUND(x, g) ->
			if
			:: OWNS(x, k) -> revoke_all(x)
			:: else
			fi
		fi
	fi
}

/* mk_share_message(): the deferred work of one peer, in order */
proctype broker(byte k, e)
{
	mtype what;
	byte c, x, g, y, i, j, from, page;
	bool yes;

end:	do
	:: atomic {
		asked[RING(k, e)]?what, c, x, g, y;
		yes = false;
		if
		:: what == CREATE -> begin(k, e)
		:: else ->
			handle(k, what, e, x, g, y);
			answer(k, e, c, page, g)
		fi
	   };
	   if
	   :: what == CREATE && yes ->
		atomic { take(i) };
		atomic { finish(i); answer(k, e, c, page, g) }
	   :: else
	   fi;
	   atomic { what = 0; c = 0; x = 0; g = 0; y = 0; i = 0; page = 0; yes = false }
	od
}

/* ---- share_pages.c: mk_reap() ---- */

inline nobody_has(p)
{
	j = 0;
	do
	:: j < KERNELS -> assert(mapped[j] != p + 1); j++
	:: else -> j = 0; break
	od
}

proctype reaper()
{
	byte p, j;

end:	do
	:: atomic { over?p; nobody_has(p) };	/* scrubbed */
	   atomic { nobody_has(p); taken[p] = false; p = 0 }
	od
}

/* ---- a kernel, and its end: share_client.c; mk_take_back() ---- */

#ifdef WILLING
#define MAY_DIE		skip
#else
#define MAY_DIE		if :: true -> goto dead :: true fi
#endif

/* mk_peer_call(): goes on with the answer, or without one at any time */
inline call(what, x, g, y)
{
	atomic { number++; yes = false; late = false };
	asked[RING(k, epoch[k])]!what, number, x, g, y;
	do
	:: answered[k]?c, yes, page, got ->
		if
		:: c == number -> break
		:: else -> yes = false	/* late: dropped */
		fi
	:: atomic { lates > 0 -> lates--; late = true }; break
	od;
	c = 0
}

/* Which share, as MK_MSG_SHARE_GET told some time ago */
#define MAY_ATTACH(i)	(s[i].state == LIVE && !s[i].making && \
			 s[i].party[k] && !s[i].revoked[k])
#define OWNED(i)	(s[i].state == LIVE && !s[i].making && s[i].owner == k)

inline attach(i)
{
	atomic { wanted = s[i].generation; id = i };
	MAY_DIE;
	call(ATTACH, id, wanted, number);
	MAY_DIE;
	if
	:: yes -> atomic {
		assert(got == wanted);
		mapped[k] = page + 1;
		held = number
	   }
	:: late ->
#ifndef BROKEN_NO_DETACH_AFTER_TIMEOUT
		ask_detach(number)
#else
		skip
#endif
	:: else
	fi;
	atomic { page = 0; got = 0; wanted = 0; id = 0 }
}

/* mk_detach_number(): once more when no answer comes */
inline ask_detach(n)
{
	asked[RING(k, epoch[k])]!DETACH, 0, n, 0, 0;
	if
	:: atomic { lates > 0 -> lates-- };
	   asked[RING(k, epoch[k])]!DETACH, 0, n, 0, 0
	:: true
	fi
}

/* mk_share_detach(): the mapping goes first */
inline detach()
{
#ifdef BROKEN_DETACH_FIRST
	ask_detach(held);
	MAY_DIE;
	mapped[k] = 0;
#else
	mapped[k] = 0;
	MAY_DIE;
	ask_detach(held);
#endif
	atomic { held = 0; told[k] = false }
}

inline ask(what, i, y)
{
	atomic { wanted = s[i].generation; id = i };
	MAY_DIE;
	call(what, id, wanted, y);
	atomic { page = 0; got = 0; wanted = 0; id = 0 }
}

#ifdef WILLING
byte spent;			/* kernels that begin nothing more */

/* Orderly: let go when told, take back what is one's own, until none is left */
inline leave()
{
	do
	:: held && told[k] -> detach()
	:: held && !told[k] && (OWNED(0) || OWNED(1)) -> detach()
	:: !held && OWNED(0) -> ask(REVOKE_ALL, 0, 0)
	:: !held && OWNED(1) -> ask(REVOKE_ALL, 1, 0)
	:: spent == KERNELS && !held && s[0].state == FREE && s[1].state == FREE -> break
	od
}
#endif

/* What a start knew is gone with it, and so are its rings. */
inline clear()
{
	do
	:: len(answered[k]) > 0 -> answered[k]?c, yes, page, got
	:: else -> break
	od;
	budget = 0; number = 0; held = 0; wanted = 0; got = 0; page = 0; c = 0;
	id = 0; i = 0; j = 0; yes = false; late = false; told[k] = false
}

proctype kernel(byte k)
{
	byte number, held, wanted, got, page, c, id, budget, i, j;
	bool yes, late;
	byte other;

start:
	atomic {
		budget = (k == 0 -> OWNER_BUDGET : BUDGET);
		other = (k == 0 -> 1 : 0);
		number = 0;
		held = 0
	};
	if
	:: k == 0 ->
		call(CREATE, 0, 0, 0);
		MAY_DIE;
		if
		:: yes ->
			atomic { wanted = got; i = 1; do :: s[0].generation == got && OWNED(0) -> id = 0; break :: s[1].generation == got && OWNED(1) -> id = 1; break :: else -> wanted = 0; break od };
			if
			:: wanted -> call(GRANT, id, wanted, 1)
			:: else
			fi;
#if KERNELS > 2
			if
			:: wanted -> call(GRANT, id, wanted, 2)
			:: else
			fi;
#endif
			atomic { wanted = 0; id = 0; i = 0; page = 0; got = 0 }
		:: else
		fi
	:: else
	fi;
	do
	:: budget > 0 ->
		budget--;
		MAY_DIE;
		if
		:: !held && MAY_ATTACH(0) -> attach(0)
		:: !held && MAY_ATTACH(1) -> attach(1)
		:: held -> detach()
		:: OWNED(0) -> ask(GIVE, 0, other)
		:: OWNED(1) -> ask(GIVE, 1, other)
		:: OWNED(0) -> ask(REVOKE, 0, other)
		:: OWNED(1) -> ask(REVOKE, 1, other)
		:: OWNED(0) -> ask(REVOKE_ALL, 0, 0)
		:: OWNED(1) -> ask(REVOKE_ALL, 1, 0)
		:: true
		fi
	:: budget == 0 -> break
	od;
#ifdef WILLING
	spent++;
	leave();
	ended[k] = true;
	goto end_all
#endif
dead:
	/* mk_take_back(): its CPUs may have run on until here */
#ifdef BROKEN_GONE_FIRST
	atomic { up[k] = false; kernel_gone(k) };
	atomic { mapped[k] = 0; clear() };
#else
	atomic { mapped[k] = 0; clear() };
	up[k] = false;			/* mk_peer_down() */
	atomic { kernel_gone(k) };	/* mk_shares_instance_gone() */
#endif
	if
	:: atomic { restarts > 0 -> restarts--; epoch[k]++; clear(); up[k] = true };
	   goto start
	:: true
	fi;
#ifndef BROKEN_DESTROY_KEEPS
	atomic { kernel_gone(k); ended[k] = true };	/* DESTROY */
#else
	ended[k] = true;
#endif
end_all:
	skip
}

init {
	byte k, e;

	atomic {
		do
		:: k < SHARES -> s[k].page = NONE; k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < KERNELS ->
			up[k] = true;
			do
			:: e < EPOCHS -> run broker(k, e); e++
			:: else -> e = 0; break
			od;
			run kernel(k);
			k++
		:: else -> k = 0; break
		od;
		run reaper()
	};
	/* Nothing can go on: all must be over */
	timeout;
	do
	:: k < KERNELS -> assert(ended[k]); k++
	:: else -> k = 0; break
	od;
	do
	:: k < SHARES -> assert(s[k].state == FREE && !taken[k]); k++
	:: else -> break
	od
}
