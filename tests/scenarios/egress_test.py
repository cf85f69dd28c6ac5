"""From which address mail leaves: pools by tenant and domain, sources that rest or are warmed up, and both families."""

import datetime
import pathlib
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario
import sink
import stock_clients
from processes import wait_until

_TODAY = datetime.datetime.now(datetime.timezone.utc).date()
_A, _B, _COLD = "127.0.0.21", "127.0.0.22", "127.0.0.23"
_A_IPV6, _HOST_IPV6 = "fd00::21", "fd00::6"
_NAMES = {_A: "a.relay.example", _B: "b.relay.example", _COLD: "cold.relay.example", _A_IPV6: "a.relay.example"}
# So many messages that both sources of a pool get some of them, whatever their queue ids are: one in 2^31 times not.
_MANY = 32


class Egress(scenario.Scenario):
    relay_settings = {
        "egress.default_pool": "main",
        "egress.source": [
            {"name": "a", "addresses": [_A, _A_IPV6], "helo_name": _NAMES[_A]},
            {"name": "b", "addresses": [_B], "helo_name": _NAMES[_B]},
            {"name": "cold", "addresses": [_COLD], "helo_name": _NAMES[_COLD], "warm_up_start": _TODAY,
             "warm_up_per_day": [2, 2, 2]},
        ],
        "egress.pool": [{"name": "main", "sources": {"a": 1, "b": 1}}, {"name": "shop", "sources": ["b"]},
                        {"name": "cold", "sources": ["cold"]}],
        "egress.rule": [{"tenant": "shop", "pool": "shop"}, {"domain": "cold.example", "pool": "cold"},
                        {"domain": "smart.example", "pool": "shop"}],
        "route": [{"name": "smart", "domains": ["smart.example"], "next_hops": ["smtp.smart.example:587"]}],
        "egress.pause": [{"name": "listed", "text": "*blocked*", "pause_for": "1h"}],
    }

    @classmethod
    def build_world(cls):
        for address in (_A_IPV6, _HOST_IPV6):
            subprocess.run(["ip", "-6", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)
        cls.hosts = {}
        for name, address in (("plain", "127.0.0.2"), ("big", "127.0.0.3"), ("cold", "127.0.0.4"), ("six", _HOST_IPV6)):
            host = sink.Sink(cls.folder, address, 25, certificates.leaf(None, [f"mx.{name}.example"]))
            cls.addClassCleanup(host.close)
            cls.hosts[name] = host
            cls.dns.add(f"mx.{name}.example", "AAAA" if ":" in address else "A", address)
            cls.dns.add(f"{name}.example", "MX", f"10 mx.{name}.example.")
        cls.smarthost = sink.Sink(cls.folder, "127.0.0.5", 587, certificates.leaf(cls.authority, ["smtp.smart.example"]))
        cls.addClassCleanup(cls.smarthost.close)
        cls.dns.add("smtp.smart.example", "A", "127.0.0.5")
        cls.dns.add_txt("spf.example", f"v=spf1 ip4:{_B} ip4:{_COLD} -all")
        cls.dns.add_txt("_dmarc.spf.example", "v=DMARC1; p=reject")

    @classmethod
    def make_relay(cls):
        made = super().make_relay()
        made.ask("account", "add", "till", "--tenant", "shop", stdin=scenario.PASSWORD + "\n")
        return made

    def setUp(self):
        for host in self.hosts.values():
            host.received.clear()

    def tearDown(self):
        for host in self.hosts.values():
            host.refused.clear()
        self.relay.command("egress", "resume", "a")
        self.relay.command("egress", "resume", "b")
        self.drop_queue()

    def send_as(self, account, *recipients, sender=scenario.SENDER):
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(account, scenario.PASSWORD)
            for recipient in recipients:
                client.sendmail(sender, [recipient], stock_clients.message(sender, recipient))

    def send_many(self, host):
        """Sends _MANY messages to a host; gives the addresses that they came from."""
        self.hosts[host].received.clear()
        self.send_as(scenario.USER, *(f"r{number}@{host}.example" for number in range(_MANY)))
        wait_until(lambda: len(self.hosts[host].received) == _MANY, 60, "all messages arrive")
        self.relay.wait_until_delivered()
        return {message.client for message in self.hosts[host].received}

    def wait_for_reason(self, recipient, *words):
        """Waits until a recipient waits for such a reason; gives its entry. Nobody was asked, so no attempt is counted."""
        def found():
            entry = self.relay.queue_entry(recipient)
            return entry if entry and all(word in entry["reason"] for word in words) else None

        return wait_until(found, 30, f"{recipient} waits because of {words}")

    def listed(self, kind):
        return [line for line in self.relay.ask_json("egress", "list") if line["kind"] == kind]

    def test_rules_choose_the_pool_and_each_source_has_its_address_and_name(self):
        self.assertEqual(self.send_many("plain"), {_A, _B})
        for message in self.hosts["plain"].received:
            self.assertEqual(message.ehlo, _NAMES[message.client])
        self.send_as("till", *(f"s{number}@plain.example" for number in range(8)))
        self.relay.wait_until_delivered()
        mine = [message for message in self.hosts["plain"].received if message.recipients[0].startswith("s")]
        self.assertEqual([message.client for message in mine], [_B] * 8)
        delivered = {event["to"]: event["source"] for event in self.relay.events("message_delivered")}
        for message in self.hosts["plain"].received:
            self.assertEqual(delivered[message.recipients[0]], "a" if message.client == _A else "b")

    def test_mail_by_a_route_leaves_from_the_pool_of_its_domain_too(self):
        self.send_as(scenario.USER, *(f"t{number}@smart.example" for number in range(8)))
        self.relay.wait_until_delivered()
        self.assertEqual([(message.client, message.ehlo) for message in self.smarthost.received], [(_B, _NAMES[_B])] * 8)
        event = self.relay.events("message_delivered")[-1]
        self.assertEqual((event["route"], event["source"]), ("smart", "b"))
        text = self.relay.ask("explain", "t@smart.example")
        self.assertIn("Route: smart, in place of the MX records of the domain", text)
        self.assertIn("Egress: pool shop, sources b", text)
        self.assertIn("Egress: pool main, sources a, b", self.relay.ask("explain", "t@plain.example"))

    def test_a_source_that_a_reply_speaks_of_rests_at_that_provider_and_another_takes_over(self):
        host = self.hosts["big"]
        host.refused[_A] = "550 5.7.1 your address is blocked"
        self.assertEqual(self.send_many("big"), {_B})
        pauses = [event for event in self.relay.events("egress_paused") if event["provider"] == "big.example"]
        self.assertEqual([(event["source"], event["rule"], event["reply"]) for event in pauses],
                         [("a", "listed", "550 5.7.1 your address is blocked")])
        self.assertEqual(self.relay.events("message_bounced"), [])
        self.assertEqual(self.relay.events("destination_paused"), [])
        self.assertEqual(self.send_many("plain"), {_A, _B})
        paused = wait_until(lambda: self.listed("pause"), 20, "the pause is written down")
        self.assertEqual([(line["source"], line["provider"], line["rule"]) for line in paused], [("a", "big.example", "listed")])
        host.refused.clear()
        self.relay.stop()
        self.relay.start()
        self.assertEqual(self.send_many("big"), {_B}, "the pause outlives the process")
        self.relay.ask("egress", "resume", "a", "--reason", "delisted")
        self.assertEqual(self.send_many("big"), {_A, _B})

    def test_mail_waits_while_all_its_sources_rest_and_goes_when_an_operator_says_so(self):
        self.relay.ask("egress", "pause", "b", "--for", "2h", "--reason", "moves house")
        until = self.listed("pause")[0]["until"]
        self.send_as("till", "w@plain.example")
        entry = self.wait_for_reason("w@plain.example", "No source of pool shop may send to plain.example before", "an operator")
        self.assertEqual(entry["next_attempt"], until)
        self.assertEqual(entry["attempts"], 0)
        self.assertIn("moves house", self.relay.ask("egress", "list"))
        self.assertEqual(self.hosts["plain"].received, [])
        self.relay.ask("egress", "resume", "b")
        self.relay.ask("queue", "retry", "--all")
        self.relay.wait_until_delivered()
        self.assertEqual([message.client for message in self.hosts["plain"].received], [_B])

    def test_an_unknown_source_is_named_with_those_there_are(self):
        answer = self.relay.command("egress", "pause", "c", "--for", "1h", "--reason", "x")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("there is no source c; there is a, b, cold", answer.stderr)
        self.assertIn("a is not paused", self.relay.command("egress", "resume", "a").stderr)

    def test_a_warm_up_allows_so_many_messages_a_day_also_over_a_restart(self):
        left_s = 86_400 - time.time() % 86_400
        if left_s < 180:  # the day must not end meanwhile
            time.sleep(left_s + 1)
        self.send_as(scenario.USER, "1@cold.example", "2@cold.example")
        self.relay.wait_until_delivered()
        self.assertEqual({message.client for message in self.hosts["cold"].received}, {_COLD})
        self.send_as(scenario.USER, "3@cold.example")
        entry = self.wait_for_reason("3@cold.example", "cold has sent the 2 messages that its warm-up allows today")
        self.assertRegex(entry["next_attempt"], r"T00:00:00Z$")
        self.relay.stop()
        self.relay.start()
        uses = [(line["source"], line["provider"], line["used"], line["allowance"]) for line in self.listed("use")]
        self.assertEqual(uses, [("cold", "cold.example", 2, 2)])
        self.send_as(scenario.USER, "4@cold.example")
        self.wait_for_reason("4@cold.example", "its warm-up allows today")
        self.relay.ask("queue", "retry", "--all")
        self.wait_for_reason("3@cold.example", "its warm-up allows today")
        self.assertEqual(len(self.hosts["cold"].received), 2)

    def test_spf_is_looked_at_for_every_source_that_mail_of_the_tenant_may_take_and_no_other(self):
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.send_as(scenario.USER, "f@plain.example", sender="ann@spf.example")
        self.assertEqual(refused.exception.smtp_code, 550)
        self.send_as("till", "f@plain.example", sender="ann@spf.example")
        self.relay.wait_until_delivered()
        checked = [line for line in self.relay.command("check", "domain", "spf.example", "--json").stdout.splitlines() if '"spf"' in line]
        for address in (_A, _B, _COLD, _A_IPV6):
            self.assertTrue(any(f'"{address}"' in line for line in checked), (address, checked))

    def test_a_host_of_one_family_is_reached_from_sources_that_have_it(self):
        self.assertEqual(self.send_many("six"), {_A_IPV6})
        self.assertEqual({message.ehlo for message in self.hosts["six"].received}, {_NAMES[_A_IPV6]})
        self.send_as("till", "v@six.example")
        self.wait_for_reason("v@six.example", "No source of pool shop has an address of the family")


if __name__ == "__main__":
    scenario.main()
