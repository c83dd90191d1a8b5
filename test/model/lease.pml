/* Session, lock and fence as a model for spin: README.md says what is in it and what is not.
 *
 * Node 1 owns a key and renews its session. Node 2 waits for the key; it owns it from the very
 * entry that expires the session on. Never may both own it. All steps are atomic, in any order.
 *
 * Rules taken out, by -D: NO_CONFIRMATION (S1), NO_SILENCE (S1), NO_RHO (S1), NO_BARRIER (S2),
 * NO_GHOST (S3), LEASE_FROM_ARRIVAL (S4), NO_FENCE (F1, F2). Each must give two owners; without
 * NO_IN_FLIGHT (S2) the model holds. NEVER_GRANTED and NEVER_RENEWED claim that nothing happens at
 * all, and must fail too. */

#ifndef BALLOTS
#define BALLOTS 2           /* leaders that there may be, one per ballot; each leads once */
#endif
#ifndef TTL
#define TTL 2               /* ticks */
#endif
#ifndef RENEWALS
#define RENEWALS 1          /* renewals that are on their way to a leader at once */
#endif
#define DRIFT 1             /* ticks that a node's slow clock may add to a ttl */
#define VOTERS 3
#define MAJORITY(set) ((set) == 3 || (set) == 5 || (set) == 6 || (set) == 7)

/* Counted no further: whatever is older is as good as this. */
#define OLD (TTL + DRIFT)

#ifdef NO_RHO
#define EXPIRE_AFTER TTL
#else
#define EXPIRE_AFTER (TTL + DRIFT)
#endif
#ifdef NO_SILENCE
#define SILENT(b) true
#else
#define SILENT(b) (silent[b] >= EXPIRE_AFTER)
#endif
#ifdef NO_BARRIER
#define MAY_ANSWER(b) leads[b]
#else
#define MAY_ANSWER(b) (applied[b] && open_there[b])
#endif
#ifdef NO_IN_FLIGHT
#define NONE_IN_FLIGHT(b) true
#else
#define NONE_IN_FLIGHT(b) (!expiring[b])
#endif
#ifdef NO_CONFIRMATION
#define CONFIRMED(b) true
#else
#define CONFIRMED(b) MAJORITY(confirms[b])
#endif
#ifdef NO_GHOST
#define IN_FORCE(b) true
#else
#define IN_FORCE(b) (reign == (b))
#endif

/* -- node 1 and its session */
bool owner1 = true;
bool owner2 = false;
byte lease_left = TTL;      /* ticks of true time until node 1's lease ends; 0: it has ended */
bool slow = false;          /* its clock has lost the tick that it may lose in this lease */

/* -- the network: what was sent stays, and may arrive late, more than once, or never */
bool sent[RENEWALS];        /* a renewal on its way to a leader, and how long ago it was sent */
byte sent_age[RENEWALS];
bool answered = false;      /* renewed(n) on its way to the node */
byte answer_age = 0;        /* since n was sent */

/* -- voters, leaders. Index 0 is not used */
byte promised[VOTERS];
bool tried[BALLOTS + 1];    /* it has asked for promises */
byte promises[BALLOTS + 1]; /* who has promised: a set of voters */
bool leads[BALLOTS + 1];    /* phase 1 has ended; it may be a leader of the past and not know it */
byte silent[BALLOTS + 1];   /* ticks since it heard node 1 */
bool renewing[BALLOTS + 1]; /* it has a renewal to answer .. */
byte renew_age[BALLOTS + 1];
byte confirms[BALLOTS + 1]; /* .. which these voters have confirmed since it arrived */
bool expiring[BALLOTS + 1]; /* it has proposed to expire the session */

/* -- the log. What a leader proposed may be decided at any later moment, by any later leader */
byte reign = 1;             /* in force */
bool open = true;           /* node 1's session */
bool in_log[BALLOTS + 1];   /* the reign's entry is decided */
bool applied[BALLOTS + 1];  /* .. and its leader has applied it, */
bool open_there[BALLOTS + 1]; /* and seen the session so */
bool ghost[BALLOTS + 1];    /* its expiration may still be decided */

bool renewed_by_two = false;

byte i;
byte age;

/* A step of the clocks. At the end of its lease node 1 has stopped its owner: F1 if it can, else
 * the watchdog (F2). The cluster cannot see when; the worst is the last moment. */
inline one_tick() {
  printf("a tick\n");
  i = 0;
  do
  :: i < RENEWALS ->
     if
     :: sent[i] && sent_age[i] < OLD -> sent_age[i]++
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: answered && answer_age < OLD -> answer_age++
  :: else
  fi;
  i = 1;
  do
  :: i <= BALLOTS ->
     if
     :: leads[i] && silent[i] < OLD -> silent[i]++
     :: else
     fi;
     if
     :: renewing[i] && renew_age[i] < OLD -> renew_age[i]++
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* The node's own clock: `lost` if this tick is the one that it does not count. */
inline lease_tick(lost) {
  if
  :: lease_left > 0 && !lost -> lease_left--
  :: lost -> printf("node 1's clock loses it\n"); slow = true
  :: else
  fi;
#ifndef NO_FENCE
  if
  :: lease_left == 0 -> printf("node 1 stops its owner\n"); owner1 = false
  :: else
  fi;
#endif
}

/* S4: bounded by the sending, by the node's own clock. */
inline take_answer() {
  printf("node 1 gets the answer\n");
#ifdef LEASE_FROM_ARRIVAL
  age = 0;
#else
  age = answer_age;
#endif
  if
  :: lease_left > 0 && age < TTL && TTL - age > lease_left ->
     lease_left = TTL - age;
     slow = false
  :: else
  fi;
  age = 0;
  answered = false;
  answer_age = 0
}

/* What one leader may do, and what may happen to it. */
#define LEADER_STEPS(b) \
  /* S1: the round that confirms a renewal starts when it arrives. */ \
  :: d_step { sent[0] && leads[b] -> ARRIVE(b, 0) } \
  SECOND_RENEWAL(b) \
  :: d_step { renewing[b] && CONFIRMED(b) && MAY_ANSWER(b) && NONE_IN_FLIGHT(b) && !answered -> \
       printf("leader %d answers a renewal that was sent %d ticks ago\n", b, renew_age[b]); \
       answered = true; answer_age = renew_age[b]; STOP_RENEWING(b); \
       renewed_by_two = (renewed_by_two || b == 2) } \
  :: d_step { renewing[b] -> STOP_RENEWING(b) } \
  /* Election: all voters are asked, and a majority promises, one by one. */ \
  :: d_step { !tried[b] -> \
       printf("ballot %d asks for promises\n", b); tried[b] = true } \
  :: d_step { tried[b] && !leads[b] && MAJORITY(promises[b]) -> \
       printf("leader %d: a majority has promised\n", b); \
       leads[b] = true; promises[b] = 0; silent[b] = 0 } \
  /* The reign's entry is decided; reigns only rise. Its leader applies it, late or never. */ \
  :: d_step { leads[b] && !in_log[b] -> \
       printf("log: reign %d\n", b); \
       in_log[b] = true; open_there[b] = (open && b > reign); reign = (b > reign -> b : reign) } \
  :: d_step { in_log[b] && !applied[b] -> \
       printf("leader %d applies its reign\n", b); applied[b] = true } \
  /* S1: silent for too long. */ \
  :: d_step { leads[b] && !expiring[b] && SILENT(b) -> \
       printf("leader %d proposes to expire the session\n", b); \
       expiring[b] = true; ghost[b] = true } \
  /* S3, S5: an expiration is decided, now or much later. What it frees is granted there. */ \
  :: d_step { ghost[b] -> \
       printf("log: expire, of leader %d, in reign %d\n", b, reign); \
       ghost[b] = false; \
       owner2 = (owner2 || (open && IN_FORCE(b))); open = (open && !IN_FORCE(b)) } \
  VOTER_STEPS(b, 0) VOTER_STEPS(b, 1) VOTER_STEPS(b, 2)

#define ARRIVE(b, r) \
  printf("leader %d gets a renewal that was sent %d ticks ago\n", b, sent_age[r]); \
  renewing[b] = true; renew_age[b] = sent_age[r]; confirms[b] = 0; silent[b] = 0

#define STOP_RENEWING(b) renewing[b] = false; renew_age[b] = 0; confirms[b] = 0

/* A voter confirms a ballot while it has promised nothing above it. */
#define VOTER_STEPS(b, v) \
  :: d_step { renewing[b] && promised[v] <= b && !(confirms[b] & (1 << v)) -> \
       printf("voter %d confirms leader %d\n", v, b); confirms[b] = (confirms[b] | (1 << v)) } \
  :: d_step { tried[b] && promised[v] < b -> \
       printf("voter %d promises ballot %d\n", v, b); \
       promised[v] = b; promises[b] = (leads[b] -> 0 : promises[b] | (1 << v)) }

/* Node 1 sends a renewal; one that it sent before is lost. */
#define NODE_STEPS(r) \
  :: d_step { lease_left > 0 -> \
       printf("node 1 sends a renewal\n"); sent[r] = true; sent_age[r] = 0 } \
  :: d_step { sent[r] -> sent[r] = false; sent_age[r] = 0 }

#if RENEWALS > 1
#define SECOND_RENEWAL(b) :: d_step { sent[1] && leads[b] -> ARRIVE(b, 1) }
#else
#define SECOND_RENEWAL(b)
#endif

#ifdef NEVER_GRANTED
#define OVER false
#else
#define OVER (!owner1)      /* it never owns again: nothing can be broken any more */
#endif

active proctype world() {
  d_step {
    promised[0] = 1; promised[1] = 1; promised[2] = 1;
    tried[1] = true; leads[1] = true;
    in_log[1] = true; applied[1] = true; open_there[1] = true
  }
  do
  :: atomic {
       if
       :: d_step { true -> one_tick(); lease_tick(false) }
       :: d_step { lease_left > 0 && !slow -> one_tick(); lease_tick(true) }
       fi;
       if
       :: OVER -> goto done
       :: else
       fi }
  NODE_STEPS(0)
#if RENEWALS > 1
  NODE_STEPS(1)
#endif
  :: d_step { answered -> take_answer() }
  :: d_step { answered -> answered = false; answer_age = 0 }
  LEADER_STEPS(1)
  LEADER_STEPS(2)
#if BALLOTS > 2
  LEADER_STEPS(3)
#endif
  :: d_step { owner1 && owner2 -> assert(false) }
#ifdef NEVER_GRANTED
  :: d_step { owner2 -> assert(false) }
#endif
#ifdef NEVER_RENEWED
  :: d_step { renewed_by_two && lease_left == TTL && reign == 2 -> assert(false) }
#endif
  od;
done:
  skip
}
