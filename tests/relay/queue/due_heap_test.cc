#include "relay/queue/due_heap.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <utility>

using namespace waxwing;

namespace {

WallTime at(std::int64_t milliseconds) {
  return WallTime{Milliseconds{milliseconds}};
}

}  // namespace

TEST_CASE("items come out by time, and in their order of arrival at the same time") {
  DueHeap heap;
  heap.insert(5, at(20));
  heap.insert(9, at(10));
  heap.insert(1, at(20));
  heap.insert(3, at(10));
  for (const DueHeap::Item wanted : {9U, 3U, 5U, 1U}) {
    REQUIRE(heap.first() == wanted);
    heap.erase(wanted);
  }
  CHECK(heap.empty());
}

TEST_CASE("a heap agrees with a sorted map over random changes") {
  std::mt19937 random(20260131);
  DueHeap heap;
  std::map<std::pair<std::int64_t, DueHeap::Item>, bool> model;
  std::map<DueHeap::Item, std::int64_t> time_of;
  for (int step = 0; step < 20'000; ++step) {
    const auto item = static_cast<DueHeap::Item>(random() % 500);
    if (const auto known = time_of.find(item); known != time_of.end()) {
      heap.erase(item);
      model.erase({known->second, item});
      time_of.erase(known);
    } else {
      const auto time = static_cast<std::int64_t>(random() % 1'000);
      heap.insert(item, at(time));
      model[{time, item}] = true;
      time_of[item] = time;
    }
    REQUIRE(heap.empty() == model.empty());
    if (!model.empty()) REQUIRE(heap.first_time() == at(model.begin()->first.first));
  }
}

TEST_CASE("taking out what is not there changes nothing") {
  DueHeap heap;
  heap.erase(7);
  heap.insert(2, at(1));
  heap.erase(1);
  CHECK(heap.first() == 2);
}
