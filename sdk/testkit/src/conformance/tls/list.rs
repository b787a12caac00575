//! The list of cases: what is required, case by case. Each is a function of its topic's module.

/// Hands the cases for one provider to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_cases {
    ([$($then:tt)*] [$($given:tt)*]) => {
        $($then)*! { [$($given)*]
            versions {
                the_newest_common_one "RFC 8446 §4.2.1: the newest version that both sides and the policy allow";
                none_in_common_is_alert_70 "RFC 8446 §6.2: no common version is alert 70 and `NoCommonVersion`";
                modern_speaks_tls13 "`TlsProfile::Modern` is TLS 1.3 alone, whatever `min_version` says";
                old_ones_are_refused "RFC 8996: TLS 1.0, 1.1 and SSL 3.0 are refused with alert 70";
                weak_cipher_suites_are_refused "RFC 9325 §4.1, §4.2: no RSA key transport, CBC, RC4, 3DES, NULL; alert 40 and `NoCommonCipher`";
                policies_that_cannot_be "a policy that cannot be fulfilled is `BadPolicy`, at once";
                of_a_connector "RFC 8446 §4.2.1: a connector offers the versions of its policy and no others";
                the_exporter_is_the_peers "RFC 9266 §2: the channel binding is the peer's, of new and of resumed connections";
                a_connectors_exporter_is_the_peers "RFC 9266 §2, §4: the same for a connector; in TLS 1.2 only where the extended master secret is known to be used";
                groups_by_their_iana_names "`TlsFacts::group` is the name in IANA's registry of supported groups";
                ciphers_by_their_iana_names "`TlsFacts::cipher` is the name in IANA's registry of cipher suites";
                facts_of_a_plain_client "`TlsFacts` says what was negotiated, and nothing that was not";
            }
            profiles {
                the_recommended_cipher_suites "Mozilla 5.8, intermediate: six cipher suites of TLS 1.2, three of TLS 1.3";
                no_other_cipher_suites "Mozilla 5.8: no cipher suite beside them; alert 40 and `NoCommonCipher`";
                no_other_groups "Mozilla 5.8: X25519, P-256, P-384 and hybrids of them, and no other group; alert 40 and `NoCommonCipher`";
                no_weak_signatures "RFC 9155: nothing is signed with MD5, SHA-1 or DSA; alert 40 and `NoCommonCipher`";
                the_servers_order "the provider's best cipher suite, unless the client likes ChaCha20 best";
                ecdsa_before_rsa "with both kinds of keys, ECDSA for a client that knows both: it costs a twentieth";
                hybrid_groups_come_first "X25519MLKEM768 with a client that names it first, where the provider has it";
                no_compression "RFC 9325 §3.3: no compression, whatever the client offers";
                extensions_of_a_hello "RFC 5746, RFC 7627: TLS 1.2 has secure renegotiation and the extended master secret; no heartbeat";
                a_downgrade_is_marked "RFC 8446 §4.1.3: TLS 1.2 from a server of TLS 1.3 says so in its random";
            }
            names {
                exact_and_wildcard "RFC 6066 §3: the certificate that the store has for the server name";
                the_default_for_others "the store's default for other names, for addresses and for no name";
                the_listeners_certificate "`ServerPolicy::certificate` is handed to the store";
                an_unknown_one_is_alert_112 "RFC 6066 §3: a name that nothing fits is alert 112 and `UnknownServerName`";
                the_key_that_the_client_can_check "RFC 8446 §4.4.2.2, RFC 5246 §7.4.2: of a set, the identity whose signatures the client accepts";
                no_key_that_the_client_can_check "RFC 8446 §4.4.2.2: otherwise alert 40 and `NoCommonCipher`";
                keys_of_every_kind "P-256, P-384, RSA and Ed25519 keys serve, in TLS 1.2 and 1.3";
                the_whole_chain_is_sent "RFC 8446 §4.4.2: the chain as the store has it";
                a_new_certificate_is_served_at_once "`dovetail.certs/1` is asked at each handshake; established connections stay";
                a_set_that_goes_while_it_is_chosen "a set that is gone between `resolve` and `load` costs one handshake at most";
                without_a_certificate_store "while the certificate store is away handshakes fail, and when it is back they don't";
                a_pair_that_cannot_be_used "an identity that cannot be used is `BadIdentity` that names it, and harms no other";
            }
            alpn {
                the_servers_best_that_is_offered "RFC 7301 §3.2: the first of the policy's protocols that the client offers";
                nothing_that_fits_is_alert_120 "RFC 7301 §3.2: no protocol in common is alert 120 and `NoApplicationProtocol`";
                no_offer_goes_on "a client without the extension is served, without a protocol in the facts";
                an_offer_is_ignored_where_none_is_spoken "a policy without protocols ignores offers, and confirms none";
                of_a_connector "RFC 7301 §3: a connector offers its policy's protocols and tells the server's choice";
            }
            clients {
                off_asks_for_none "RFC 8446 §4.3.2: a client is not asked where its certificate is not wanted";
                optional_takes_none_and_a_good_one "`Optional`: none is fine, a good one is in the facts";
                optional_refuses_a_bad_one "`Optional`: one that is shown must be good";
                required_takes_a_good_one "`Required`: by any of the anchors, through intermediates that the client sends";
                required_refuses_none "RFC 8446 §4.4.2.4: none is alert 116 (or 40 in TLS 1.2) and `NoPeerCertificate`";
                an_untrusted_one "RFC 8446 §6.2: an unknown authority is alert 48 and `PeerCertificateUntrusted`";
                an_expired_one "RFC 5280 §4.1.2.5: out of its dates is alert 45 and `PeerCertificateExpired`";
                a_revoked_one "RFC 5280 §6.3: on its issuer's list is alert 44 and `PeerCertificateRevoked`";
                one_of_unknown_state "where there are lists, a certificate whose issuer has none is `PeerCertificateRevoked`";
                a_revoked_authority_in_between "RFC 5280 §6.3: the lists are asked for every certificate on the way to the anchor";
                a_servers_certificate_is_no_clients "RFC 5280 §4.2.1.12: a certificate for servers alone is refused";
                policies_that_cannot_be "`BadPolicy`: certificates wanted without anchors; anchors and lists that cannot be read";
                nothing_is_read_of_a_refused_one "no connection comes of a handshake before the client's certificate was judged";
            }
            resumption {
                every_visit_after_the_first "RFC 5077, RFC 8446 §2.2: with tickets, every connection of a client after its first is resumed";
                on_listeners_of_equal_policy "tickets are good on every listener with an equal set of certificates and policy for clients";
                by_another_instance "tickets outlive a reload: keys are those of `dovetail.host.tickets/1` and nothing else";
                with_the_clients_certificate "a resumed connection still tells the client's certificate, or is not resumed";
                not_where_clients_are_judged_otherwise "a ticket opens nothing where other certificates of clients are good";
                never_around_a_required_certificate "no ticket from elsewhere replaces a certificate that is required";
                not_with_another_certificate "a ticket is good for the set of certificates that it was made under";
                not_for_another_name "the same, where two listeners serve one name with two certificates";
                off_means_none "`tickets: false`: none is given and none is taken";
                over_a_turn_of_the_ring_and_no_further "RFC 5077 §5.5: the key before opens tickets, the one before that does not";
                tickets_allow_no_early_data "RFC 8446 §2.3, §8: no early data, since it can be replayed";
                a_ticket_of_another_server_is_ignored "RFC 8446 §4.2.11: a ticket that cannot be opened is a full handshake";
            }
            ends {
                close_notify_ends_one_half "RFC 8446 §6.1: the peer's close_notify is the end of reading; writing goes on";
                our_half_ends_and_the_peers_goes_on "RFC 8446 §6.1: a shutdown ends writing; reading goes on";
                a_shutdown_sends_close_notify "RFC 8446 §6.1: a shutdown sends what is left, then close_notify";
                nothing_is_written_after_a_shutdown "RFC 8446 §6.1: nothing follows close_notify";
                an_end_without_close_notify_is_an_error "RFC 8446 §6.1: an end without close_notify is `UnexpectedEof`, each time it is asked";
                an_end_within_a_record_is_an_error "the same in the middle of a record";
                a_forged_record_is_an_error "RFC 8446 §5.2: a record that does not decrypt is an error, never data, never an end";
                plaintext_after_the_handshake_is_an_error "RFC 8446 §5: plaintext in a TLS connection is an error";
            }
            flow {
                one_byte_at_a_time "a transport that moves one byte a call is enough, in both roles";
                a_clients_flights_cut_anywhere "RFC 8446 §5.1: the client's flights may be cut after any octet";
                a_servers_flights_cut_anywhere "RFC 8446 §5.1: the server's flights may be cut after any octet";
                records_of_every_size "RFC 8446 §5.1: records up to 2^14 octets, writes of any length";
                reads_into_little_room "what a reader has no room for yet waits for its next read";
                vectored_writes "vectored writes are what their slices are, one after the other";
                empty_writes_are_no_end "an empty write takes nothing and ends nothing";
                new_keys_in_the_middle "RFC 8446 §4.6.3: the peer may change its keys at any time";
                a_peer_that_does_not_read "a connection holds 256 KiB at most beside its transport, and loses nothing of it";
            }
            strangers {
                plaintext_is_named_and_gets_no_text "plaintext is `PlaintextOnTlsPort`; the peer gets an alert or a close, the log no byte of it";
                a_few_letters_are_plaintext "the same for less than a record's header";
                a_proxy_header_is_plaintext "a PROXY header is `PlaintextOnTlsPort` and named so";
                ssl2_has_no_version_in_common "RFC 6176: SSL 2.0 is `NoCommonVersion`";
                garbage_is_refused "RFC 8446 §6.2: what cannot be read ends the connection, with an alert at most";
                a_damaged_hello_does_no_harm "whatever octet of a ClientHello is wrong, the provider goes on serving others";
                a_strange_server_name_is_an_error_or_none "RFC 6066 §3: names that are none get no certificate";
                an_end_in_the_hello_is_truncation "a close within the ClientHello is `Truncated`";
                an_end_after_the_servers_flight_is_truncation "a close within the handshake is `Truncated`";
                a_hello_in_many_records "RFC 8446 §5.1: a ClientHello may be spread over records";
                the_deadline_of_a_slow_one "a handshake has no deadline of its own, and ends when its future is dropped";
            }
            load {
                a_large_transfer_both_ways "64 MiB in each direction at once come out as they went in";
                a_reader_and_a_writer_in_two_tasks "each half of a stream wakes its own task";
                many_handshakes_at_once "200 connections at once, and each gets its own bytes";
                connections_outlive_their_acceptor "connections live on when their acceptor and their provider's handle are dropped";
            }
            given_up {
                an_accept "an accept may be dropped after any poll";
                a_connect "a connect may be dropped after any poll";
                a_write "a write that was pending took nothing: another may follow it";
                a_shutdown "a shutdown that was pending sends what is left when it is asked again";
                a_read "a read that was pending took nothing";
                a_stream "a stream may be dropped after any poll";
            }
            check {
                good_pairs "`check_identity` passes every kind of key that is served";
                dates_are_not_its_business "`check_identity` proves that a pair works; whether it is in date is the store's to say";
                pairs_that_do_not_fit "a certificate with another key is `BadIdentity` that names it";
                rubbish "what cannot be read is `BadIdentity`";
            }
            connector {
                names_that_fit "RFC 9525 §6: DNS names, wildcards of one label, addresses; RFC 6066 §3: names are sent, addresses not";
                names_that_do_not_fit "RFC 9525 §6: another name is `BadPeerCertificate`";
                a_common_name_is_no_name "RFC 9525 §2: a common name is no server name";
                servers_that_nobody_vouches_for "RFC 5280 §6: an unknown authority, or a missing intermediate, is `PeerCertificateUntrusted`";
                servers_out_of_date "RFC 5280 §4.1.2.5: out of its dates is `PeerCertificateExpired`";
                a_clients_certificate_is_no_servers "RFC 5280 §4.2.1.12: a certificate for clients alone is refused";
                a_chain_with_an_intermediate "RFC 8446 §4.4.2: intermediates come from the server";
                shows_its_identity_to_who_asks "RFC 8446 §4.4.2: `ClientPolicy::identity` is shown to a server that asks";
                the_servers_alert_is_told "RFC 8446 §6.2: the server's alert is `AlertReceived`";
                servers_that_speak_no_tls "a plaintext greeting is `PlaintextOnTlsPort`, nothing at all `Truncated`";
                policies_that_cannot_be "`BadPolicy` without good anchors, `BadIdentity` with an identity that cannot be used";
                names_that_are_none "what is neither a DNS name nor an address is `BadPolicy`, and nothing is sent";
                is_used_many_times "one connector makes many connections";
            }
            pair {
                nothing_is_readable_on_the_wire "what is written to one side is nowhere in what crosses the wire";
                both_know_the_same "both sides of a connection tell the same facts";
                application_protocols "RFC 7301: as above, between providers";
                client_certificates "RFC 8446 §4.4.2: as above, between providers";
                halves_and_ends "RFC 8446 §6.1: as above, between providers";
                a_cut_is_an_error_at_both "RFC 8446 §6.1: as above, between providers";
            }
            openssl {
                s_client "`openssl s_client`: TLS 1.2 and 1.3, server name, ALPN, close_notify";
                s_client_comes_back "`openssl s_client -sess_in`: resumed at each visit after the first";
                s_client_sees_the_tickets_lifetime "RFC 5077 §3.3, RFC 8446 §4.6.1: tickets say no longer a lifetime than the host's";
                s_client_shows_a_certificate "`openssl s_client -cert`: taken; without one refused";
                s_client_moves_much "`openssl s_client`: 8 MiB in each direction at once";
                s_client_cannot_renegotiate "RFC 9325 §3.5: TLS 1.2 does not renegotiate";
                s_server "`openssl s_server`: TLS 1.2 and 1.3, ALPN, the right name and no other";
                s_server_asks_for_a_certificate "`openssl s_server -Verify`: the policy's identity is taken";
            }
            gnutls {
                a_client "`gnutls-cli`: TLS 1.2 and 1.3, server name, ALPN, close_notify";
                a_client_without_extended_master_secret "RFC 9266 §4.2: TLS 1.2 without the extended master secret has no exporter";
                a_client_comes_back "`gnutls-cli --resume`: the second connection is resumed";
                a_client_shows_a_certificate "`gnutls-cli --x509certfile`: taken; without one refused";
            }
            python {
                a_client "Python's ssl: TLS 1.2 and 1.3, ALPN, a client's certificate, close_notify";
                a_client_comes_back "Python's ssl: resumed at each visit after the first";
                a_client_moves_much "Python's ssl: 8 MiB in each direction at once";
                a_server "Python's ssl as server: name, ALPN and certificate of the connector arrive";
            }
        }
    };
}

/// Hands the cases for two providers to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_cases_between {
    ([$($then:tt)*] [$($given:tt)*]) => {
        $($then)*! { [$($given)*]
            pair {
                nothing_is_readable_on_the_wire "what is written to one side is nowhere in what crosses the wire";
                both_know_the_same "both sides of a connection tell the same facts";
                application_protocols "RFC 7301: the acceptor's choice is told by both";
                client_certificates "RFC 8446 §4.4.2: a client's certificate arrives, and its absence is noticed";
                halves_and_ends "RFC 8446 §6.1: each half ends by itself";
                a_cut_is_an_error_at_both "RFC 8446 §6.1: an end without close_notify is `UnexpectedEof`";
                no_ticket_crosses "a provider's tickets are its own: at another there is a full handshake, and no failure";
            }
        }
    };
}
