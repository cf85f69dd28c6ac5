#include "keys/foreign_keys.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace waxwing {
namespace {

std::vector<std::string> shown(const Result<std::vector<ForeignKey>>& keys) {
  REQUIRE(keys);
  std::vector<std::string> lines;
  for (const ForeignKey& key : *keys) lines.push_back(key.selector + " " + key.domain.str() + " " + key.path);
  return lines;
}

using Lines = std::vector<std::string>;

void check_refused(const Result<std::vector<ForeignKey>>& keys, ErrorKind kind, const std::string& words) {
  REQUIRE_FALSE(keys);
  CAPTURE(keys.error().detail);
  CHECK(keys.error().kind == kind);
  CHECK(keys.error().detail.find(words) != std::string::npos);
}

constexpr std::string_view kKeyTable =
    "# comment\n"
    "\n"
    "default._domainkey.a.example a.example:default:/etc/opendkim/a.private\n"
    "b  \t B.example:S1:/etc/opendkim/b.private \r\n"
    "any %:mail:/etc/opendkim/keys/%/mail.private\n";

TEST_CASE("without SigningTable all keys of an OpenDKIM KeyTable are meant", "[foreign_keys]") {
  const auto keys = parse_opendkim_tables("a a.example:default:/a\nb B.example:S1:/b\n", "");
  CHECK(shown(keys) == Lines{"default a.example /a", "s1 b.example /b"});
}

TEST_CASE("a SigningTable says which keys are used, and for which domains '%' stands", "[foreign_keys]") {
  CHECK(shown(parse_opendkim_tables(kKeyTable, "*@b.example b\nann@b.example b\nx.example b\n")) ==
        Lines{"s1 b.example /etc/opendkim/b.private"});
  CHECK(shown(parse_opendkim_tables(kKeyTable, "*@c.example any\n*.d.example any\n.e.example any")) ==
        Lines{"mail c.example /etc/opendkim/keys/c.example/mail.private",
              "mail d.example /etc/opendkim/keys/d.example/mail.private",
              "mail e.example /etc/opendkim/keys/e.example/mail.private"});
}

TEST_CASE("tables of OpenDKIM that mean nothing sure are refused by their line", "[foreign_keys]") {
  check_refused(parse_opendkim_tables(kKeyTable, ""), ErrorKind::Malformed, "line 5 of the KeyTable has '%'");
  check_refused(parse_opendkim_tables(kKeyTable, "* any\n"), ErrorKind::Malformed, "line 5");
  check_refused(parse_opendkim_tables(kKeyTable, "*@a.example c\n"), ErrorKind::NotFound, "names 'c'");
  check_refused(parse_opendkim_tables("lonely\n", ""), ErrorKind::Malformed, "line 1");
  check_refused(parse_opendkim_tables("a a.example:default\n", ""), ErrorKind::Malformed, "line 1");
  check_refused(parse_opendkim_tables("a a.example:default:MIIEvQ\n", ""), ErrorKind::Malformed, "written to a file");
  check_refused(parse_opendkim_tables("a a..example:default:/a\n", ""), ErrorKind::Malformed, "not a domain");
  check_refused(parse_opendkim_tables("a a.example:de_fault:/a\n", ""), ErrorKind::Malformed, "not a selector");
  check_refused(parse_opendkim_tables("a a.example:s:/a\na a.example:t:/b\n", ""), ErrorKind::Conflict, "line 2");
}

TEST_CASE("two keys of one domain and selector are refused, the same key twice is one", "[foreign_keys]") {
  check_refused(parse_opendkim_tables("a a.example:s:/a\nb a.example:S:/b\n", ""), ErrorKind::Conflict,
                "two keys of selector s");
  CHECK(shown(parse_opendkim_tables("a a.example:s:/a\nb a.example:s:/a\n", "")).size() == 1);
}

TEST_CASE("rspamd finds keys by maps, and by its defaults", "[foreign_keys]") {
  CHECK(shown(parse_rspamd_keys(
            {"a.example s1\nb.example s2\n", "", "", "/var/lib/rspamd/dkim/$domain.$selector.key"})) ==
        Lines{"s1 a.example /var/lib/rspamd/dkim/a.example.s1.key",
              "s2 b.example /var/lib/rspamd/dkim/b.example.s2.key"});
  CHECK(shown(parse_rspamd_keys({"a.example s1\n", "a.example /keys/a\nb.example /keys/$selector.b\n", "dkim",
                                 "/x"})) == Lines{"s1 a.example /keys/a", "dkim b.example /keys/dkim.b"});
  check_refused(parse_rspamd_keys({"a.example s1\n", "", "", ""}), ErrorKind::Malformed, "add --path");
  check_refused(parse_rspamd_keys({"", "a.example /a\n", "", ""}), ErrorKind::Malformed, "add --selector");
  check_refused(parse_rspamd_keys({"a_.-example s1\n", "", "", "/x"}), ErrorKind::Malformed,
                "line 1 of the selector map");
  CHECK(shown(parse_rspamd_keys({"", "", "dkim", "/$domain"})).empty());
}

TEST_CASE("files of a folder are named after their domains", "[foreign_keys]") {
  CHECK(shown(name_keys_of_folder(
            "/etc/exim4/dkim", {".hidden.example", "README", "a.example.pem", "b.example.key", "c.example"}, "mail")) ==
        Lines{"mail a.example /etc/exim4/dkim/a.example.pem", "mail b.example /etc/exim4/dkim/b.example.key",
              "mail c.example /etc/exim4/dkim/c.example"});
  check_refused(name_keys_of_folder("/x", {"a.example.pem", "a.example.key"}, "mail"), ErrorKind::Conflict, "two keys");
  check_refused(name_keys_of_folder("/x", {"readme"}, "mail"), ErrorKind::NotFound, "'/x'");
  check_refused(name_keys_of_folder("/x", {"a.example"}, "m_"), ErrorKind::Malformed, "selector");
}

}  // namespace
}  // namespace waxwing
