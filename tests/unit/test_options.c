/* Tests TCP options in the engine: negotiation, MSS (RFC 9293, 3.7.1; RFC 6691), window scale and
 * timestamps with PAWS (RFC 7323), SACK-permitted (RFC 2018), and malformed options. */
#include "tests/unit/engine.h"

static void rfc9293_3_7_1_must_14_every_syn_carries_an_mss(void **state)
{
    (void)state;
    drive(STATE_SYN_SENT);
    check((rig.our_syn.has & OPT_MSS) && rig.our_syn.mss == 1460, "the SYN's MSS is %u",
          rig.our_syn.mss);
    rig_start(&variants[0]);
    drive(STATE_SYN_RECEIVED);
    check((rig.our_syn.has & OPT_MSS) && rig.our_syn.mss == 1460, "the SYN-ACK's MSS is %u",
          rig.our_syn.mss);
}

static void rfc6691_2_announced_mss_is_the_mtu_less_fixed_headers(void **state)
{
    (void)state;
    static const struct {
        uint32_t mtu, mss;
        bool v6;
    } table[] = {{1500, 1460, false}, {1500, 1440, true},  {576, 536, false},
                 {1280, 1220, true},  {9000, 8960, false}, {65535, 65495, false}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct conn_config config;
        conn_config_default(&config, table[i].mtu, table[i].v6);
        check(config.mss == table[i].mss, "an MTU of %u gives an MSS of %u", table[i].mtu,
              config.mss);
    }
}

static void a_syn_offers_what_is_configured_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned ask = 0; ask < 8; ask++) {
        rig_start(&variants[0]);
        struct conn_config *c = &rig.env.config;
        c->wscale = ask & 1;
        c->timestamps = ask & 2;
        c->sack = ask & 4;
        drive(STATE_SYN_SENT);
        unsigned want = OPT_MSS | (ask & 1 ? OPT_WSCALE : 0) | (ask & 2 ? OPT_TIMESTAMP : 0) |
                        (ask & 4 ? OPT_SACK_PERMITTED : 0);
        check(rig.our_syn.has == want, "the SYN carries %x, not %x", rig.our_syn.has, want);
        if (ask & 2)
            check(rig.our_syn.tsecr == 0, "the SYN echoes %u (RFC 7323, 3.2)", rig.our_syn.tsecr);
    }
}

/* Both sides' offers, each way round: in force is what both offered. */
static void negotiate(unsigned we, unsigned they, bool passive)
{
    rig_start(&variants[0]);
    struct conn_config *c = &rig.env.config;
    c->wscale = we & 1;
    c->timestamps = we & 2;
    c->sack = we & 4;
    rig.peer.wscale = they & 1;
    rig.peer.timestamps = they & 2;
    rig.peer.sack = they & 4;
    if (passive)
        establish_passive(RTT);
    else
        establish(RTT);
    unsigned both = we & they;
    unsigned want = (both & 1 ? CONN_WSCALE : 0) | (both & 2 ? CONN_TIMESTAMPS : 0) |
                    (both & 4 ? CONN_SACK : 0);
    unsigned got = rig.c.flags & (CONN_WSCALE | CONN_TIMESTAMPS | CONN_SACK);
    check(got == want, "offered %u and %u: %x in force, not %x", we, they, got, want);
    if (passive) { /* RFC 7323, 2.2 and 3.2, RFC 2018, 2: in a SYN-ACK only if it was in the SYN */
        unsigned has = (both & 1 ? OPT_WSCALE : 0) | (both & 2 ? OPT_TIMESTAMP : 0) |
                       (both & 4 ? OPT_SACK_PERMITTED : 0);
        unsigned offered = rig.our_syn.has & (OPT_WSCALE | OPT_TIMESTAMP | OPT_SACK_PERMITTED);
        check(offered == has, "the SYN-ACK carries %x, not %x", offered, has);
    }
    /* The rig holds every further segment against what is in force. */
    push(3000);
    burst();
    in(ACK | PSH, 1, 3001, WND, 100);
    acknowledges(101);
    in(ACK, 301, 3001, WND, 100);
    check(next_out(0), "data beyond a gap is not answered");
    check(!!(rig.out.opt.has & OPT_SACK) == !!(both & 4), "SACK blocks where none belong");
    check(rig.c.snd_shift == (both & 1 ? rig.peer.shift : 0), "snd_shift is %u", rig.c.snd_shift);
}

static void rfc7323_and_2018_in_force_is_what_both_offered(void **state)
{
    (void)state;
    for (unsigned we = 0; we < 8; we++)
        for (unsigned they = 0; they < 8; they++) {
            negotiate(we, they, false);
            negotiate(we, they, true);
        }
}

static void rfc9293_3_7_1_must_15_without_mss_536(void **state)
{
    (void)state;
    rig.peer.no_mss = true;
    establish(RTT);
    check(rig.c.mss == 536, "the peer's MSS is taken for %u", rig.c.mss);
    push(2000);
    out(ACK, 1, 1, 536 - 12);
}

static void rfc9293_3_7_1_without_mss_1220_over_ipv6(void **state)
{
    (void)state;
    struct flow flow = {.lport = 40000, .rport = 80, .v6 = 1};
    flow.local.byte[0] = flow.remote.byte[0] = 0xfe;
    flow.remote.byte[15] = 1;
    rig_stop();
    rig_start(&variants[0]);
    conn_config_default(&rig.env.config, 1500, true);
    conn_init(&rig.c, &rig.env, &flow, 7);
    rig.env.config.timestamps = false;
    rig.peer.no_mss = true;
    rig.peer.mss = 1220;
    check(conn_open(&rig.c, rig.now, seq_of(rig.iss)) == 0, "conn_open() refuses");
    check(next_out(0), "no SYN goes out");
    in(SYN | ACK, 0, 1, WND, 0);
    check(rig.c.mss == 1220, "the peer's MSS is taken for %u", rig.c.mss);
}

/* RFC 6691, section 2: the announced MSS counts no options; the sender deducts its own. */
static void rfc6691_2_sender_deducts_options_from_data(void **state)
{
    (void)state;
    rig.peer.mss = 1000;
    establish(RTT);
    push(3000);
    out(ACK, 1, 1, 988);
    in(ACK, 101, 1, WND, 100); /* now a SACK block stands on data, too */
    for (uint32_t next = 989; next_out(0);) {
        if (rig.out.len == 0)
            continue;
        check(out_seq() == next, "data out of order");
        check(rig.out.len + opt_size(&rig.out.opt) <= 1000, "%u bytes of data, %zu of options",
              rig.out.len, opt_size(&rig.out.opt));
        next += rig.out.len;
    }
}

static void rfc9293_3_7_1_must_16_our_own_mtu_bounds_what_we_send(void **state)
{
    (void)state;
    rig.peer.mss = 8960;
    establish(RTT);
    push(20000);
    check(next_out(0), "nothing goes out");
    check(rig.out.len == 1448, "%u bytes in one segment over an MTU of 1500", rig.out.len);
}

static void rfc9293_3_7_1_tiny_mss_is_survived(void **state)
{
    (void)state;
    static const uint16_t sizes[] = {0, 1, 12, 40, 64};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        rig_start(&variants[1]);
        rig.peer.mss = 1460; /* what the rig lets pass: the engine may raise a floor */
        drive(STATE_SYN_SENT);
        struct seg s = make(SYN | ACK, 0, 1, WND, 0);
        s.opt.mss = sizes[i];
        feed(s);
        burst();
        push(200);
        uint32_t bytes = 0;
        for (int n = 0; n < 400 && bytes < 200; n++) {
            check(next_out(10 * WAVE_S), "an MSS of %u: nothing goes out any more", sizes[i]);
            if (rig.out.len == 0)
                continue;
            bytes = out_seq() + rig.out.len - 1;
            in(ACK, 1, 1 + bytes, WND, 0);
        }
        check(bytes == 200, "an MSS of %u: only %u bytes went out", sizes[i], bytes);
    }
}

/* RFC 7323, 2.2 and 2.3. */

static void rfc7323_2_2_window_of_a_syn_is_never_scaled(void **state)
{
    (void)state;
    rig.env.config.rcvbuf = 4 << 20;
    rig.peer.shift = 7;
    drive(STATE_SYN_SENT);
    check(rig.out.wnd == 65535, "the SYN's window is %u", rig.out.wnd);
    in(SYN | ACK, 0, 1, 50000, 0);
    check(rig.c.snd.wnd == 50000, "the SYN-ACK's window was taken for %u", rig.c.snd.wnd);
    out(ACK, 1, 1, 0);
    check(out_window() >= 65535 && out_window() <= 4 << 20, "the window is %u", out_window());
    in(ACK, 1, 1, 50000 & ~127u, 0);
    check(rig.c.snd.wnd == (50000 & ~127u), "SND.WND is %u", rig.c.snd.wnd);
}

static void rfc7323_2_2_window_of_a_syn_ack_is_never_scaled(void **state)
{
    (void)state;
    rig.env.config.rcvbuf = 4 << 20;
    rig.peer.shift = 7;
    drive(STATE_SYN_RECEIVED);
    check(rig.out.wnd == 65535, "the SYN-ACK's window is %u", rig.out.wnd);
    check(rig.c.snd.wnd == WND, "the SYN's window was taken for %u", rig.c.snd.wnd);
    struct seg s = make(ACK, 1, 1, 0, 0);
    s.wnd = 1000;
    feed(s);
    expect_state(STATE_ESTABLISHED);
    check(rig.c.snd.wnd == 128000, "SND.WND is %u", rig.c.snd.wnd);
}

static void rfc7323_2_3_our_shift_fits_the_buffer(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4096, 65535, 65536, 1 << 20, 4 << 20, 256 << 20};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        rig_start(&variants[1]);
        rig.env.config.rcvbuf = sizes[i];
        drive(STATE_SYN_SENT);
        uint32_t shift = rig.our_syn.wscale;
        check(shift <= 14, "the shift offered is %u", shift);
        check((uint64_t)65536 << shift >= sizes[i], "a shift of %u cannot say %u", shift, sizes[i]);
    }
}

static void rfc7323_2_3_shift_above_14_is_taken_for_14(void **state)
{
    (void)state;
    rig.peer.shift = 14;
    drive(STATE_SYN_SENT);
    struct seg s = make(SYN | ACK, 0, 1, WND, 0);
    s.opt.wscale = 200;
    feed(s);
    out(ACK, 1, 1, 0);
    check(rig.c.snd_shift == 14, "snd_shift is %u", rig.c.snd_shift);
    s = make(ACK, 1, 1, 0, 0);
    s.wnd = 3;
    feed(s);
    check(rig.c.snd.wnd == 3u << 14, "SND.WND is %u", rig.c.snd.wnd);
}

static void rfc7323_2_2_without_the_peers_option_nothing_is_scaled(void **state)
{
    (void)state;
    rig.env.config.rcvbuf = 4 << 20;
    rig.peer.wscale = false;
    establish(RTT);
    check(rig.c.rcv_shift == 0 && rig.c.snd_shift == 0, "a scale is in force");
    check(rig.out.wnd == 65535, "the window is %u", rig.out.wnd);
}

/* The SYN-ACK answers the SYN that came last. A host that left an option off it, as some do when
 * they must send it time and again, does not use that option. */
static void rfc7323_2_2_a_repeated_syn_withdraws_what_it_does_not_offer(void **state)
{
    (void)state;
    for (unsigned without = 1; without <= 7; without++) {
        rig_start(&variants[1]);
        rig.env.config.rcvbuf = 1 << 20;
        drive(STATE_LISTEN);
        in(SYN, 0, 0, WND, 0);
        out(SYN | ACK, 0, 1, 0);
        rig.peer.wscale = !(without & 1);
        rig.peer.timestamps = !(without & 2);
        rig.peer.sack = !(without & 4);
        in(SYN, 0, 0, WND, 0);
        out(SYN | ACK, 0, 1, 0);
        check(!(rig.our_syn.has & OPT_WSCALE) == !rig.peer.wscale &&
                  !(rig.our_syn.has & OPT_TIMESTAMP) == !rig.peer.timestamps &&
                  !(rig.our_syn.has & OPT_SACK_PERMITTED) == !rig.peer.sack,
              "the SYN-ACK's options are %x, %x was left off", rig.our_syn.has, without);
        in(ACK, 1, 1, 1000, 0);
        expect_state(STATE_ESTABLISHED);
        check(rig.c.snd.wnd == 1000, "a window of 1000 is taken for %u", rig.c.snd.wnd);
        in(ACK, 1001, 1, 1000, 1000); /* beyond a gap, and answered at once */
        check(next_out(0), "no ACK goes out");
        check(!(rig.out.opt.has & OPT_SACK) == !rig.peer.sack, "SACK is not as it was agreed");
        check(out_window() == (rig.peer.wscale ? 1 << 20 : 65535), "a window of %u is offered",
              out_window());
    }
}

static void rfc7323_2_2_scale_after_the_syn_is_ignored(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(ACK, 1, 1, 40000, 0);
    s.opt.has |= OPT_WSCALE | OPT_MSS | OPT_SACK_PERMITTED;
    s.opt.wscale = 9;
    s.opt.mss = 100;
    feed(s);
    check(rig.c.snd.wnd == 40000 && rig.c.snd_shift == rig.peer.shift, "the scale moved");
    push(2000);
    out(ACK, 1, 1, 1448);
}

/* RFC 7323, 3 to 5. */

static void rfc7323_3_2_timestamp_not_negotiated_is_ignored(void **state)
{
    (void)state;
    rig.peer.timestamps = false;
    establish(RTT);
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.has |= OPT_TIMESTAMP;
    s.opt.tsval = 1;
    feed(s);
    acknowledges(101);
    s = make(ACK | PSH, 101, 1, WND, 100);
    s.opt.has |= OPT_TIMESTAMP;
    s.opt.tsval = 0x90000000; /* "older": no PAWS without the option */
    feed(s);
    acknowledges(201);
}

static void rfc7323_3_2_rst_needs_no_timestamp(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(RST, 1, 0, 0, 0);
    s.opt.has &= ~(unsigned)OPT_TIMESTAMP;
    feed(s);
    expect_closed(END_RESET);
}

static void rfc7323_5_2_rst_is_not_subject_to_paws(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(RST, 1, 0, 0, 0);
    s.opt.has |= OPT_TIMESTAMP;
    s.opt.tsval -= 100000;
    feed(s);
    expect_closed(END_RESET);
}

static void rfc7323_3_2_the_echo_is_the_newest_timestamp(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    rig.now += 500 * WAVE_MS;
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    feed(s);
    acknowledges(101);
    check(rig.out.opt.tsecr == s.opt.tsval, "%u is echoed, not %u", rig.out.opt.tsecr, s.opt.tsval);
}

static void rfc7323_4_3_delayed_ack_echoes_the_earlier_segment(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg first = make(ACK, 1, 1, WND, 1448);
    rig.now += 10 * WAVE_MS;
    struct seg second = make(ACK, 1449, 1, WND, 1448);
    feed(first);
    bool answered = next_out(0); /* an engine that acknowledges each echoes each */
    feed(second);
    acknowledges(1449 + 1448);
    uint32_t want = answered ? second.opt.tsval : first.opt.tsval;
    check(rig.out.opt.tsecr == want, "%u is echoed, not %u", rig.out.opt.tsecr, want);
}

static void rfc7323_4_3_segment_beyond_a_gap_is_not_echoed(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    uint32_t recent = rig.c.ts_recent;
    rig.now += 100 * WAVE_MS;
    in(ACK, 501, 1, WND, 100);
    out(ACK, 1, 1, 0);
    check(rig.out.opt.tsecr == recent, "%u is echoed, not %u", rig.out.opt.tsecr, recent);
    rig.now += 100 * WAVE_MS;
    struct seg s = make(ACK, 1, 1, WND, 500);
    feed(s);
    out(ACK, 1, 601, 0);
    check(rig.out.opt.tsecr == s.opt.tsval, "what fills the gap is not echoed");
}

static void rfc7323_5_3_r1_older_timestamp_is_acknowledged_and_dropped(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.tsval--;
    feed(s);
    out(ACK, 1, 1, 0);
    nothing();
    check(readable() == 0 && rcv_nxt() == 1, "an old duplicate was taken");
    check(expect_event(EVENT_DISCARDED)->u.check == CHECK_PAWS, "another check refused it");
    s.opt.tsval -= 0x7ffffff0;
    feed(s);
    out(ACK, 1, 1, 0);
    check(readable() == 0 && rcv_nxt() == 1, "an old duplicate was taken");
}

static void rfc7323_5_3_equal_timestamp_is_taken(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.tsval = rig.c.ts_recent;
    feed(s);
    acknowledges(101);
}

static void rfc7323_5_2_timestamps_wrap(void **state)
{
    (void)state;
    rig.peer_clock = (uint32_t)-1 - (uint32_t)(rig.now / WAVE_MS) - 5; /* 5 ms before the wrap */
    establish(2 * WAVE_MS);
    rig.now += 100 * WAVE_MS;
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    check(s.opt.tsval < 1000, "the case is not across the wrap");
    feed(s);
    acknowledges(101);
    check(rig.c.ts_recent == s.opt.tsval, "TS.Recent did not follow across the wrap");
    s = make(ACK | PSH, 101, 1, WND, 100);
    s.opt.tsval -= 2000; /* from before it */
    feed(s);
    check(rcv_nxt() == 101, "an old duplicate was taken");
}

/* RFC 7323, 5.5: after 24 idle days TS.Recent says nothing any more. */
static void rfc7323_5_5_ts_recent_expires_after_24_days(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    uint32_t recent = rig.c.ts_recent;
    silent(25 * 24 * WAVE_H);
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.tsval = recent - 1000;
    feed(s);
    acknowledges(101);
    take(100);
}

static void rfc7323_5_4_our_clock_ticks_between_a_millisecond_and_a_second(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(10);
    out(ACK, 1, 1, 10);
    uint32_t before = rig.out.opt.tsval;
    rig.now += 100 * WAVE_MS;
    in(ACK, 1, 11, WND, 0);
    silent(10 * WAVE_S);
    push(10);
    out(ACK, 11, 1, 10);
    uint32_t ticks = rig.out.opt.tsval - before;
    check(ticks >= 10 && ticks <= 10101, "%u ticks in 10.1 s", ticks);
}

/* RFC 9293, MUST-5 to MUST-7. */

static void rfc9293_3_1_must_6_unknown_and_malformed_options_are_survived(void **state)
{
    (void)state;
    static const uint8_t nonsense[] = {253, 4, 0xde, 0xad, 8, 3, 0, 5, 255};
    drive(STATE_SYN_SENT);
    struct seg s = make(SYN | ACK, 0, 1, WND, 0);
    s.opt.has |= OPT_OTHER | OPT_MALFORMED;
    s.opt.raw = nonsense;
    s.opt.raw_len = sizeof nonsense;
    feed(s);
    out(ACK, 1, 1, 0);
    expect_state(STATE_ESTABLISHED);
    s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.has |= OPT_OTHER | OPT_MALFORMED;
    s.opt.raw = nonsense;
    s.opt.raw_len = sizeof nonsense;
    feed(s);
    acknowledges(101);
}

static void rfc2018_sack_blocks_that_make_no_sense_are_survived(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    push(10000);
    burst();
    static const uint32_t blocks[][2] = {{0, 0xffffffff},          {5000, 4000}, {20000, 30000},
                                         {0x80000001, 0x80000002}, {7, 7},       {0, 1}};
    for (size_t i = 0; i < COUNT(blocks); i++) {
        struct seg s = make(ACK, 1, 1, WND, 0);
        s.opt.has |= OPT_SACK;
        s.opt.sacks = 1;
        s.opt.sack[0].first = seq_of(rig.iss + blocks[i][0]);
        s.opt.sack[0].end = seq_of(rig.iss + blocks[i][1]);
        feed(s);
        burst();
    }
    expect_state(STATE_ESTABLISHED);
    in(ACK, 1, 10001, WND, 0);
    check(conn_unacked(&rig.c) == 0, "conn_unacked() is %zu", conn_unacked(&rig.c));
}

static void rfc7323_2_3_no_buffer_needs_more_than_14(void **state)
{
    (void)state;
    rig.env.config.rcvbuf = UINT32_MAX;
    drive(STATE_SYN_SENT);
    check(rig.our_syn.wscale == 14, "the shift is %u", rig.our_syn.wscale);
    rig_start(&variants[1]);
    rig.env.config.rcvbuf = 65535u << 14;
    establish(RTT);
    check(rig.our_syn.wscale == 14, "the shift is %u", rig.our_syn.wscale);
    for (uint32_t i = 0; i < 20; i++) {
        in(ACK, 1 + i * 60000, 1, WND, 60000);
        take(60000);
        acknowledges(1 + (i + 1) * 60000);
        check(out_window() <= 1u << 30, "a window of %u is offered", out_window());
        check(out_window() >= (1u << 30) - (1u << 17), "a window of %u is offered", out_window());
    }
}

/* 2.3: 2^30 less a bit, which is as far as sequence numbers can be compared. */
static void rfc7323_2_3_the_largest_window_of_a_peer_is_used(void **state)
{
    (void)state;
    rig.peer.shift = 14;
    establish(RTT);
    const uint32_t max = 65535u << 14;
    in(ACK, 1, 1, max, 0);
    check(rig.c.snd.wnd == max && rig.c.snd.max_wnd == max, "SND.WND is %u", rig.c.snd.wnd);
    push(5 * 1448);
    check(burst() == 5 * 1448, "not all goes out");
    in(ACK, 1, 1 + 5 * 1448, max, 0);
    in(ACK | PSH, 1, 1 + 5 * 1448 - max, max, 10); /* RFC 5961, 5.2: as old as may be */
    acknowledges(11);
}

static void rfc7323_3_2_without_ack_nothing_is_echoed(void **state)
{
    (void)state;
    rig.peer_clock = 12345;
    drive(STATE_SYN_SENT);
    check(rig.our_syn.has & OPT_TIMESTAMP && rig.our_syn.tsecr == 0, "our SYN echoes %u",
          rig.our_syn.tsecr);
}

/* 4.3, (2): what is older than TS.Recent does not become it, though PAWS has let it pass. */
static void rfc7323_4_3_an_acceptable_old_duplicate_is_not_echoed(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    rig.now += 100 * WAVE_MS;
    const struct seg late = make(ACK | PSH, 1, 1, WND, 100); /* will be overtaken */
    rig.now += 100 * WAVE_MS;
    const struct seg s = make(ACK | PSH, 1, 1, WND, 200);
    feed(s);
    acknowledges(201);
    feed(late);
    check(rig.c.ts_recent == s.opt.tsval, "TS.Recent went back by %u",
          s.opt.tsval - rig.c.ts_recent);
    check(rcv_nxt() == 201, "RCV.NXT is %u", rcv_nxt());
}

/* The same (5.5), beyond the 49 days after which a clock of milliseconds repeats itself. */
static void rfc7323_5_5_ts_recent_stays_expired(void **state)
{
    (void)state;
    static const unsigned days[] = {25, 48, 50, 60, 73, 100, 400};
    for (size_t i = 0; i < COUNT(days); i++) {
        rig_start(&variants[1]);
        drive(STATE_ESTABLISHED);
        uint32_t recent = rig.c.ts_recent;
        silent(days[i] * 24 * WAVE_H);
        struct seg s = make(ACK | PSH, 1, 1, WND, 100);
        s.opt.tsval = recent - 1000; /* a peer may have lost its clock */
        feed(s);
        check(rcv_nxt() == 101, "after %u days PAWS still refuses", days[i]);
        take(100);
    }
}

static void rfc7323_5_5_ts_recent_holds_for_24_days(void **state)
{
    (void)state;
    drive(STATE_ESTABLISHED);
    uint32_t recent = rig.c.ts_recent;
    silent(23 * 24 * WAVE_H);
    struct seg s = make(ACK | PSH, 1, 1, WND, 100);
    s.opt.tsval = recent - 1000;
    feed(s);
    check(rcv_nxt() == 1, "an old duplicate was taken");
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(rfc9293_3_7_1_must_14_every_syn_carries_an_mss),
        cmocka_unit_test(rfc6691_2_announced_mss_is_the_mtu_less_fixed_headers),
        cmocka_unit_test(a_syn_offers_what_is_configured_and_nothing_else),
        cmocka_unit_test(rfc7323_and_2018_in_force_is_what_both_offered),
        cmocka_unit_test(rfc9293_3_7_1_must_15_without_mss_536),
        cmocka_unit_test(rfc9293_3_7_1_without_mss_1220_over_ipv6),
        cmocka_unit_test(rfc6691_2_sender_deducts_options_from_data),
        cmocka_unit_test(rfc9293_3_7_1_must_16_our_own_mtu_bounds_what_we_send),
        cmocka_unit_test(rfc9293_3_7_1_tiny_mss_is_survived),
        cmocka_unit_test(rfc7323_2_2_window_of_a_syn_is_never_scaled),
        cmocka_unit_test(rfc7323_2_2_window_of_a_syn_ack_is_never_scaled),
        cmocka_unit_test(rfc7323_2_3_our_shift_fits_the_buffer),
        cmocka_unit_test(rfc7323_2_3_shift_above_14_is_taken_for_14),
        cmocka_unit_test(rfc7323_2_2_without_the_peers_option_nothing_is_scaled),
        cmocka_unit_test(rfc7323_2_2_a_repeated_syn_withdraws_what_it_does_not_offer),
        cmocka_unit_test(rfc7323_2_2_scale_after_the_syn_is_ignored),
        cmocka_unit_test(rfc7323_3_2_timestamp_not_negotiated_is_ignored),
        cmocka_unit_test(rfc7323_3_2_rst_needs_no_timestamp),
        cmocka_unit_test(rfc7323_5_2_rst_is_not_subject_to_paws),
        cmocka_unit_test(rfc7323_3_2_the_echo_is_the_newest_timestamp),
        cmocka_unit_test(rfc7323_4_3_delayed_ack_echoes_the_earlier_segment),
        cmocka_unit_test(rfc7323_4_3_segment_beyond_a_gap_is_not_echoed),
        cmocka_unit_test(rfc7323_5_3_r1_older_timestamp_is_acknowledged_and_dropped),
        cmocka_unit_test(rfc7323_5_3_equal_timestamp_is_taken),
        cmocka_unit_test(rfc7323_5_2_timestamps_wrap),
        cmocka_unit_test(rfc7323_5_5_ts_recent_expires_after_24_days),
        cmocka_unit_test(rfc7323_5_4_our_clock_ticks_between_a_millisecond_and_a_second),
        cmocka_unit_test(rfc9293_3_1_must_6_unknown_and_malformed_options_are_survived),
        cmocka_unit_test(rfc2018_sack_blocks_that_make_no_sense_are_survived),
        cmocka_unit_test(rfc7323_2_3_no_buffer_needs_more_than_14),
        cmocka_unit_test(rfc7323_2_3_the_largest_window_of_a_peer_is_used),
        cmocka_unit_test(rfc7323_3_2_without_ack_nothing_is_echoed),
        cmocka_unit_test(rfc7323_4_3_an_acceptable_old_duplicate_is_not_echoed),
        cmocka_unit_test(rfc7323_5_5_ts_recent_stays_expired),
        cmocka_unit_test(rfc7323_5_5_ts_recent_holds_for_24_days),
    };
    return run_cases(cases, COUNT(cases));
}
