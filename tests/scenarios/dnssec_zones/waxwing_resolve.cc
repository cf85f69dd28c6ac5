// waxwing-resolve SERVER PORT: reads lines "NAME TYPE" and prints for each "NAME TYPE STATUS DETAIL" in any order, with
// status as secure, insecure, bogus or failed, and -nxdomain or -nodata where there are no records.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "transport/dns/getdns_resolver.h"

namespace {

using namespace waxwing;

std::optional<RecordType> read_type(std::string_view text) {
  constexpr std::array kTypes = {RecordType::A,   RecordType::CNAME, RecordType::PTR, RecordType::MX,
                                 RecordType::TXT, RecordType::AAAA,  RecordType::TLSA};
  for (const RecordType type : kTypes) {
    if (record_type_name(type) == text) return type;
  }
  return std::nullopt;
}

std::string describe(const Answer& answer) {
  if (answer.status == Answer::Status::Failed) return "failed";
  if (answer.status == Answer::Status::Bogus) return "bogus";
  std::string text = answer.status == Answer::Status::Secure ? "secure" : "insecure";
  if (!answer.name_exists) return text + "-nxdomain";
  return answer.records.empty() ? text + "-nodata" : text;
}

int run(const IpAddress& server, std::uint16_t port) {
  EventLoop loop;
  auto resolver = GetdnsResolver::create(loop, {.server = server, .port = port});
  if (!resolver) {
    fmt::print(stderr, "{}\n", resolver.error().detail);
    return 1;
  }
  std::size_t outstanding = 0;
  std::string name;
  std::string type_text;
  while (std::cin >> name >> type_text) {
    const auto type = read_type(type_text);
    if (!type) {
      fmt::print(stderr, "unknown type {}\n", type_text);
      return 2;
    }
    ++outstanding;
    (*resolver)->resolve({name, *type}, [&, name, type_text](const Answer& answer) {
      fmt::print("{} {} {} {} records={} ttl={} canonical={} alias={}\n", name, type_text, describe(answer),
                 answer.detail, answer.records.size(), answer.ttl_seconds, answer.canonical_name,
                 answer.alias_secure ? "secure" : "unproven");
      if (--outstanding == 0) loop.stop();
    });
  }
  if (outstanding > 0) loop.run();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::uint16_t port = 0;
  const std::string_view port_text = count == 3 ? arguments[2] : "";
  const auto server = IpAddress::parse(count == 3 ? arguments[1] : "");
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (!server || port == 0) {
    fmt::print(stderr, "usage: waxwing-resolve SERVER PORT\n");
    return 2;
  }
  return run(*server, port);
}
