// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing CPUs. Pure: all that is known about the machine is in struct
 * mk_machine, so that the unit tests have machines of any shape.
 */
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "parse.h"
#include "refuse.h"

/*
 * struct place - CPUs that are near each other
 * @nr_free: that may be taken
 */
struct place {
	unsigned int node;
	unsigned int package;
	size_t nr_free;
};

/*
 * struct choice - one attempt
 * @taken: for each CPU of the machine
 * @place_of: likewise, index into @places
 * @places: by ascending node and package
 */
struct choice {
	const struct mk_machine *machine;
	const struct mk_config *config;
	bool *taken;
	size_t *place_of;
	struct place *places;
	size_t nr_places;
	size_t nr_taken;
};

/* Which CPUs a step may take: of one place, of one node, or all wanted. */
struct filter {
	enum { ALL, ONE_PLACE, ONE_NODE } kind;
	size_t place;
	unsigned int node;
};

static bool is_wanted_node(const struct mk_config *config, unsigned int node)
{
	const struct mk_nodes *nodes = &config->cpu_nodes;

	for (size_t i = 0; i < nodes->nr; i++)
		if (nodes->node[i] == node)
			return true;
	return !nodes->nr;
}

static bool is_free(const struct choice *choice, size_t i)
{
	const struct mk_machine_cpu *c = &choice->machine->cpus[i];

	return c->online && !c->owner[0] && c->cpu != 0 &&
	       is_wanted_node(choice->config, c->node);
}

static bool passes(const struct choice *choice, size_t i,
		   const struct filter *filter)
{
	if (!is_free(choice, i) || choice->taken[i])
		return false;
	if (filter->kind == ONE_PLACE)
		return choice->place_of[i] == filter->place;
	return filter->kind == ALL ||
	       choice->machine->cpus[i].node == filter->node;
}

/* CPUs of the core of CPU @i; 0 unless all that count may be taken. */
static size_t whole_core(const struct choice *choice, size_t i)
{
	const struct mk_machine *machine = choice->machine;
	const struct mk_machine_cpu *c;
	size_t n = 0;

	for (size_t j = 0; j < machine->nr_cpus; j++) {
		c = &machine->cpus[j];
		if (c->core != machine->cpus[i].core ||
		    (!c->online && !c->owner[0]))
			continue;
		if (!is_free(choice, j) || choice->taken[j])
			return 0;
		n++;
	}
	return n;
}

static void take(struct choice *choice, size_t i)
{
	choice->taken[i] = true;
	choice->nr_taken++;
}

static void take_core(struct choice *choice, size_t i)
{
	const struct mk_machine *machine = choice->machine;

	for (size_t j = 0; j < machine->nr_cpus; j++)
		if (machine->cpus[j].core == machine->cpus[i].core &&
		    is_free(choice, j))
			take(choice, j);
}

/* Is CPU @i of a better place than CPU @j? Both are of cores of one size. */
static bool is_nearer(const struct choice *choice, size_t i, size_t j)
{
	size_t a = choice->place_of[i], b = choice->place_of[j];

	return choice->places[a].nr_free > choice->places[b].nr_free ||
	       (choice->places[a].nr_free == choice->places[b].nr_free &&
		a < b);
}

/* One more core, or CPU if that is allowed; false when nothing fits. */
static bool take_next(struct choice *choice, const struct filter *filter)
{
	size_t left = choice->config->nr_cpus - choice->nr_taken;
	size_t nr = choice->machine->nr_cpus;
	size_t best = nr, best_size = 0, size;

	for (size_t i = 0; i < nr; i++) {
		if (!passes(choice, i, filter))
			continue;
		size = whole_core(choice, i);
		if (size > left)
			size = 0;
		if (!size && !choice->config->allow_split_core)
			continue;
		if (best == nr || size > best_size ||
		    (size == best_size && is_nearer(choice, i, best))) {
			best = i;
			best_size = size;
		}
	}
	if (best == nr || !left)
		return false;
	if (best_size)
		take_core(choice, best);
	else
		take(choice, best);
	return true;
}

static bool is_complete(const struct choice *choice)
{
	return choice->nr_taken == choice->config->nr_cpus;
}

static bool fill(struct choice *choice, const struct filter *filter)
{
	memset(choice->taken, 0,
	       choice->machine->nr_cpus * sizeof(*choice->taken));
	choice->nr_taken = 0;
	while (take_next(choice, filter))
		;
	return is_complete(choice);
}

static void choose_near(struct choice *choice)
{
	struct filter filter = { .kind = ONE_PLACE };

	for (; filter.place < choice->nr_places; filter.place++)
		if (fill(choice, &filter))
			return;
	filter.kind = ALL;
	(void)fill(choice, &filter);
}

/* Ends with the first node that has nothing more: the rest would be uneven. */
static void choose_in_turn(struct choice *choice)
{
	const struct mk_nodes *nodes = &choice->config->cpu_nodes;
	struct filter filter = { .kind = ONE_NODE };
	size_t i = 0;

	do
		filter.node = nodes->node[i++ % nodes->nr];
	while (take_next(choice, &filter));
}

static size_t find_place(struct choice *choice, unsigned int node,
			 unsigned int package)
{
	size_t at = 0;

	while (at < choice->nr_places &&
	       (choice->places[at].node != node ||
		choice->places[at].package != package))
		at++;
	return at;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->package < y->package ? -1 : x->package > y->package;
}

static void list_places(struct choice *choice)
{
	const struct mk_machine_cpu *c;
	size_t i, at;

	for (i = 0; i < choice->machine->nr_cpus; i++) {
		c = &choice->machine->cpus[i];
		at = find_place(choice, c->node, c->package);
		if (at == choice->nr_places)
			choice->places[choice->nr_places++] = (struct place){
				.node = c->node, .package = c->package,
			};
		choice->places[at].nr_free += is_free(choice, i);
	}
	qsort(choice->places, choice->nr_places, sizeof(*choice->places),
	      compare_places);
	for (i = 0; i < choice->machine->nr_cpus; i++) {
		c = &choice->machine->cpus[i];
		choice->place_of[i] = find_place(choice, c->node, c->package);
	}
}

static int check_nodes(const struct choice *choice, struct mk_error *err)
{
	const struct mk_nodes *nodes = &choice->config->cpu_nodes;
	const char *known = choice->machine->nodes;

	for (size_t i = 0; i < nodes->nr; i++)
		if (mk_cpulist_has(known ? known : "0", nodes->node[i]) != 1)
			return mk_refuse(err, &(struct mk_refused){
				.error = ENODEV, .reason = MK_REASON_CPU_NODE,
				.a = nodes->node[i],
			}, NULL);
	return 0;
}

static int refuse_too_few(const struct choice *choice, struct mk_error *err)
{
	mk_autofree char *on =
		mk_config_nodes_text(&choice->config->cpu_nodes);
	size_t nr_free = 0;

	for (size_t i = 0; i < choice->nr_places; i++)
		nr_free += choice->places[i].nr_free;
	mk_refuse(err, &(struct mk_refused){
		.error = EBUSY, .reason = MK_REASON_CPU_TOO_FEW,
		.a = choice->config->nr_cpus, .b = choice->nr_taken,
		/* Behind " on " */
		.who = on && *on ? on + 4 : NULL,
	}, NULL);
	if (err && nr_free >= choice->config->nr_cpus &&
	    !choice->config->allow_split_core)
		snprintf(err->hint, sizeof(err->hint),
			 "%zu are free, but only whole cores are taken, and that of CPU 0 stays with the host; ask for another number, or say \"allow_split_core\": true",
			 nr_free);
	return -EBUSY;
}

static int collect(const struct choice *choice, unsigned int **ret_cpus,
		   struct mk_error *err)
{
	unsigned int *cpus = calloc(choice->nr_taken, sizeof(*cpus));
	size_t n = 0;

	if (!cpus) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < choice->machine->nr_cpus; i++)
		if (choice->taken[i])
			cpus[n++] = choice->machine->cpus[i].cpu;
	*ret_cpus = cpus;
	return 0;
}

static int choose(struct choice *choice, unsigned int **ret_cpus,
		  struct mk_error *err)
{
	int r = check_nodes(choice, err);

	if (r < 0)
		return r;
	list_places(choice);
	if (choice->config->cpu_nodes.nr > 1)
		choose_in_turn(choice);
	else
		choose_near(choice);
	if (!is_complete(choice))
		return refuse_too_few(choice, err);
	return collect(choice, ret_cpus, err);
}

int mk_choose_cpus(const struct mk_machine *machine,
		   const struct mk_config *config, unsigned int **ret_cpus,
		   struct mk_error *err)
{
	size_t nr = machine->nr_cpus + 1;	/* calloc(0) may be NULL */
	mk_autofree bool *taken = calloc(nr, sizeof(*taken));
	mk_autofree size_t *place_of = calloc(nr, sizeof(*place_of));
	mk_autofree struct place *places = calloc(nr, sizeof(*places));
	struct choice choice = {
		.machine = machine, .config = config, .taken = taken,
		.place_of = place_of, .places = places,
	};

	if (taken && place_of && places)
		return choose(&choice, ret_cpus, err);
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}
