#include "relay/admin/needed_keys.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

QueuedMessage signed_by(std::uint64_t id, const std::string& selector) {
  QueuedMessage message = test_message(id);
  message.header = "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=" + selector +
                   ";\r\n h=from; bh=AA==; b=AA==\r\nFrom: ann@sender.example\r\n";
  return message;
}

}  // namespace

TEST_CASE("the queue says which key records its messages need", "[needed_keys]") {
  const TemporaryDirectory directory;
  CHECK(find_needed_keys(directory.path(), directory.path()).value().empty());  // a relay that never ran
  {
    auto store = SqliteQueueStore::open(directory.path()).value();
    CHECK(read_needed_keys(directory.path()).value().empty());
    REQUIRE(store->begin());
    REQUIRE(store->add(signed_by(1, "s1")));
    REQUIRE(store->add(signed_by(2, "s2")));
    REQUIRE(store->add(signed_by(3, "s1")));
    REQUIRE(store->commit());
    const NeededKeys both{"s1._domainkey.sender.example", "s2._domainkey.sender.example"};
    CHECK(read_needed_keys(directory.path()).value() == both);
    CHECK(find_needed_keys(directory.path(), directory.path()).value() == both);
    CHECK(answer_needed_keys(R"({"command":"needed keys"})", directory.path()) ==
          R"({"key":"s1._domainkey.sender.example"})"
          "\n"
          R"({"key":"s2._domainkey.sender.example"})"
          "\n"
          R"({"done":true,"exit":0})"
          "\n");
  }
}

TEST_CASE("nothing else can be asked there", "[needed_keys]") {
  const TemporaryDirectory directory;
  for (const char* question :
       {"", "x", "[]", "{}", R"({"command":"queue list","all":true})", R"({"command":"needed keys","id":"1"})"}) {
    CAPTURE(question);
    const std::string answer = answer_needed_keys(question, directory.path());
    CHECK(nlohmann::json::parse(answer).at("exit") == 65);
  }
}
