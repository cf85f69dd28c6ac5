#include "transport/dns/lookup_queue.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace waxwing;

namespace {

Question question(const std::string& name) {
  return {name, RecordType::A};
}

std::vector<std::string> taken(LookupQueue& queue) {
  std::vector<std::string> names;
  while (const auto next = queue.pop()) names.push_back(next->name);
  return names;
}

}  // namespace

TEST_CASE("names count for about what somebody registered", "[lookup_queue]") {
  CHECK(sharing_domain("_25._tcp.mx1.hosting.example") == "hosting.example");
  CHECK(sharing_domain("hosting.example") == "hosting.example");
  CHECK(sharing_domain("mx.domain.co.uk") == "domain.co.uk");
  CHECK(sharing_domain("co.uk") == "co.uk");
  CHECK(sharing_domain("mx.longer.de") == "longer.de");
  CHECK(sharing_domain("example") == "example");
  CHECK(sharing_domain(".") == ".");
  CHECK(sharing_domain("a..b.c") == "b.c");
  CHECK(sharing_domain("") == "");
}

TEST_CASE("domains take turns, each within its share", "[lookup_queue]") {
  LookupQueue queue(2);
  for (const char* name : {"1.a.example", "2.a.example", "3.a.example", "1.b.example", "2.b.example"}) {
    queue.push(question(name));
  }
  CHECK(taken(queue) == std::vector<std::string>{"1.a.example", "1.b.example", "2.a.example", "2.b.example"});
  queue.finished(question("1.b.example"));
  CHECK(taken(queue).empty());
  queue.finished(question("2.a.example"));
  CHECK(taken(queue) == std::vector<std::string>{"3.a.example"});
  for (const char* name : {"1.a.example", "3.a.example", "2.b.example"}) queue.finished(question(name));
  CHECK(taken(queue).empty());
  queue.push(question("4.a.example"));
  CHECK(taken(queue) == std::vector<std::string>{"4.a.example"});
}
