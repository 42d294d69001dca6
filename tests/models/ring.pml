/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model of one ring with its doorbells, as kernel/src/include/linux/mk_ring.h
 * has it: a producer and a consumer on two CPUs that share memory through
 * store buffers (x86-TSO), so that a missing barrier shows.
 *
 * Proved for SLOTS slots and MESSAGES messages, over all interleavings:
 *	order		each message comes once, whole, in order (assertions)
 *	wake-ups	nobody sleeps for ever while there is work (no invalid
 *			end state): there are no timeouts here to hide behind
 *	death		an end may die between any two of its steps (-DDEATH);
 *			the survivor still comes to its end
 *
 * docs/models.md says which function each step stands for.
 *
 *	holds: all
 *	holds: death		-DDEATH
 *	holds: more-slots	-DSLOTS=4 -DMESSAGES=6 -DWRAP=16
 *	fails: publish-first	-DBROKEN_PUBLISH_FIRST
 *	fails: no-barrier-send	-DBROKEN_NO_BARRIER_SEND
 *	fails: no-tx-arm	-DBROKEN_NO_ARM
 *	fails: no-barrier-tx-arm -DBROKEN_NO_BARRIER_TX_ARM
 *	fails: no-recheck-tx	-DBROKEN_NO_RECHECK_TX
 *	fails: consume-first	-DBROKEN_CONSUME_FIRST
 *	fails: no-barrier-kick	-DBROKEN_NO_BARRIER_KICK
 *	fails: no-barrier-arm	-DBROKEN_NO_BARRIER_ARM
 *	fails: no-recheck	-DBROKEN_NO_RECHECK
 */
#ifndef SLOTS
#define SLOTS		2	/* a power of two */
#endif
#ifndef MESSAGES
#define MESSAGES	5
#endif
#define WAKE_SLOTS	1	/* MK_RING_WAKE_SLOTS */
#define BUDGET		3	/* of a drain */
#define WRAP		8	/* indices run freely modulo this */

/* Shared memory */
#define HEAD		0
#define WANT_TAIL	1
#define TAIL		2
#define WANT_HEAD	3
#define SLOT(i)		(4 + ((i) % SLOTS))
#define NR_WORDS	(4 + SLOTS)
byte mem[NR_WORDS];

/* Store buffers: what a CPU has stored and others do not see yet */
#define P	0	/* producer */
#define C	1	/* consumer */
#define DEPTH	4
chan buffer[2] = [DEPTH] of { byte, byte };

bool bell[2];		/* doorbell pending at this end */
bool dead[2];		/* this end's kernel has died, the other was told */
bool ended[2];

inline store(who, word, value)
{
	atomic { nfull(buffer[who]); buffer[who]!word, value }
}

/* smp_mb(): go on when all own stores are out */
inline barrier(who)
{
	atomic { empty(buffer[who]) }
}

/* An IPI is ordered behind the sender's stores: the ICR write is serialising */
inline ring_doorbell(whom)
{
	bell[whom] = true
}

inline die(who)
{
#ifdef DEATH
	/* What was stored has been stored: the buffer drains by itself. */
	dead[who] = true;
	bell[1 - who] = true;
	goto end_dead
#else
	skip
#endif
}

#ifdef DEATH
#define MAY_DIE(who)	if :: true -> die(who) :: true fi
#else
#define MAY_DIE(who)	skip
#endif

/* Hardware: empties the buffers, one store at a time, in order. */
proctype memory()
{
	byte word, value;

end:	do
	:: atomic { buffer[P]?word, value -> mem[word] = value; word = 0; value = 0 }
	:: atomic { buffer[C]?word, value -> mem[word] = value; word = 0; value = 0 }
	od
}

/* want in [old, new), modulo WRAP: mk_ring_stepped_over() */
#define STEPPED_OVER(want, new, old) \
	(((new - want - 1 + 2 * WRAP) % WRAP) < ((new - old + WRAP) % WRAP))

#define USED(head, tail)	((head - tail + WRAP) % WRAP)

proctype producer()
{
	byte head = 0, tail = 0, sent = 0, seen = 0;

	do
	:: sent == MESSAGES -> break
	:: else ->
		MAY_DIE(P);
		/* mk_ring_tx_reserve() */
		if
		:: USED(head, tail) < SLOTS
		:: else ->
			seen = mem[TAIL];
			assert(USED(head, seen) <= SLOTS);
			tail = seen
		fi;
		if
		:: USED(head, tail) < SLOTS ->
			MAY_DIE(P);
			/* mk_ring_send(): the slot, then mk_ring_publish() */
#ifdef BROKEN_PUBLISH_FIRST
			store(P, HEAD, (head + 1) % WRAP);
			store(P, SLOT(head), sent + 1);
#else
			store(P, SLOT(head), sent + 1);
			MAY_DIE(P);
			store(P, HEAD, (head + 1) % WRAP);
#endif
			MAY_DIE(P);
#ifndef BROKEN_NO_BARRIER_SEND
			barrier(P);
#endif
			seen = mem[WANT_HEAD];
			if
			:: STEPPED_OVER(seen, ((head + 1) % WRAP), head) ->
				MAY_DIE(P);
				ring_doorbell(C)
			:: else
			fi;
			head = (head + 1) % WRAP;
			sent++
		:: else ->
			/* Full: mk_ring_tx_arm(), then sleep. */
#ifndef BROKEN_NO_ARM
			store(P, WANT_TAIL, (tail + WAKE_SLOTS - 1) % WRAP);
#endif
#ifndef BROKEN_NO_BARRIER_TX_ARM
			barrier(P);
#endif
#ifndef BROKEN_NO_RECHECK_TX
			seen = mem[TAIL];
			tail = seen;
#endif
			if
			:: USED(head, tail) < SLOTS
			:: else ->
				/* Sleep: -EPIPE when the peer has died. */
				(bell[P] || dead[C]);
				bell[P] = false;
				if
				:: dead[C] -> goto end_dead
				:: else
				fi
			fi
		fi
	od;
end_dead:
	ended[P] = true
}

proctype consumer()
{
	byte tail = 0, head = 0, kicked = 0, got = 0, seen = 0, budget;

	do
	:: got == MESSAGES -> break
	:: else ->
		budget = BUDGET;
again:
		/* drain: mk_ring_recv() */
		do
		:: budget == 0 -> break
		:: else ->
			MAY_DIE(C);
			if
			:: tail != head
			:: else ->
				seen = mem[HEAD];
				assert(USED(seen, tail) <= SLOTS);
				head = seen
			fi;
			if
			:: tail == head -> break
			:: else ->
#ifdef BROKEN_CONSUME_FIRST
				store(C, TAIL, (tail + 1) % WRAP);
				seen = mem[SLOT(tail)];
				assert(seen == got + 1);
#else
				seen = mem[SLOT(tail)];
				assert(seen == got + 1);
				MAY_DIE(C);
				store(C, TAIL, (tail + 1) % WRAP);
#endif
				tail = (tail + 1) % WRAP;
				got++;
				budget--
			fi
		od;
		/* mk_ring_rx_kick() */
		if
		:: tail == kicked
		:: else ->
#ifndef BROKEN_NO_BARRIER_KICK
			barrier(C);
#endif
			seen = mem[WANT_TAIL];
			if
			:: STEPPED_OVER(seen, tail, kicked) ->
				MAY_DIE(C);
				ring_doorbell(P)
			:: else
			fi;
			kicked = tail
		fi;
		if
		:: budget == 0		/* polls later, unarmed */
		:: else ->
			/* mk_ring_rx_arm() */
			MAY_DIE(C);
			store(C, TAIL, tail);
			store(C, WANT_HEAD, tail);
#ifndef BROKEN_NO_BARRIER_ARM
			barrier(C);
#endif
#ifndef BROKEN_NO_RECHECK
			seen = mem[HEAD];
			assert(USED(seen, tail) <= SLOTS);
			head = seen;
#endif
			if
			:: tail != head -> goto again
			:: got == MESSAGES && tail == head
			:: else ->
				/* Sleep until the doorbell. */
				(bell[C] || dead[P]);
				bell[C] = false;
				if
				:: dead[P] ->
					/* What it had sent is still there. */
					empty(buffer[P]);
					seen = mem[HEAD];
					if
					:: USED(seen, tail) == 0 -> goto end_dead
					:: else
					fi
				:: else
				fi
			fi
		fi
	od;
end_dead:
	ended[C] = true
}

/* mk_ring_format() */
init {
	atomic {
		mem[WANT_TAIL] = WRAP - 1;
		run memory();
		run producer();
		run consumer()
	}
}
