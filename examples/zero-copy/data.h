/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What producer and consumer have agreed on: what is in the share, and what
 * they say to each other.
 */
#ifndef DATA_H
#define DATA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <mk/libmk.h>

#define SHARE_BYTES	(64ULL << 20)
#define PORT		20

/** struct offer - first message of the producer: what to attach */
struct offer {
	char name[MK_SHARE_NAME_MAX];
	uint64_t generation;
	uint64_t seed;
};

/* One byte each, besides: */
#define SAY_CHECKED	'c'	/* consumer: the contents are right */
#define SAY_GIVEN	'g'	/* producer: it is yours now */

/* Numbers that look random, and differ in every word (splitmix64). */
static inline uint64_t next_word(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline void fill(uint64_t *words, size_t nr, uint64_t seed)
{
	size_t i;

	for (i = 0; i < nr; i++)
		words[i] = next_word(&seed);
}

/* The first word that is wrong, or @nr. */
static inline size_t first_wrong(const uint64_t *words, size_t nr,
				 uint64_t seed)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (words[i] != next_word(&seed))
			return i;
	return nr;
}

static inline int failed(const char *who, const struct mk_error *err)
{
	fprintf(stderr, "%s: %s: %s\n", who, err->object, err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
	return 1;
}

#endif /* DATA_H */
