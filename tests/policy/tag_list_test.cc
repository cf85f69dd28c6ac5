#include "policy/tag_list.h"

#include <catch2/catch.hpp>

using waxwing::split_colon_list;
using waxwing::TagList;

TEST_CASE("a tag list is read with folding around names and values") {
  const std::string text = "v=DKIM1;\r\n\t a = b c ;empty=;z=1==";
  const auto list = TagList::parse(text);
  REQUIRE(list);
  REQUIRE(list->tags().size() == 4);
  CHECK(list->find("a")->value == "b c");
  CHECK(list->find("empty")->value.empty());
  CHECK(list->find("z")->value == "1==");
  CHECK(list->find("A") == nullptr);
}

TEST_CASE("a tag knows where its value stands in the text") {
  const std::string text = "a=1; b= xx ; c=3";
  const auto list = TagList::parse(text);
  REQUIRE(list);
  const TagList::Tag* tag = list->find("b");
  CHECK(text.substr(tag->value_begin, tag->value_end - tag->value_begin) == " xx ");
  CHECK(list->find("c")->value_end == text.size());
}

TEST_CASE("one semicolon with white space may end a tag list") {
  CHECK(TagList::parse("a=1;"));
  CHECK(TagList::parse("a=1; \r\n "));
  CHECK_FALSE(TagList::parse("a=1;;"));
  CHECK_FALSE(TagList::parse(";a=1"));
  CHECK_FALSE(TagList::parse("a=1;;b=2"));
}

TEST_CASE("a list that breaks the grammar is refused") {
  for (const char* text : {"", " ", "a", "=1", "1a=1", "a-b=1", "a=1;a=2", "a=\x01", "a=\x7f", "a b=1"}) {
    INFO(text);
    CHECK_FALSE(TagList::parse(text));
  }
  std::string many;
  for (int i = 0; i < 101; ++i) many += "t" + std::to_string(i) + "=;";
  CHECK_FALSE(TagList::parse(many));
}

TEST_CASE("a colon list loses the white space around its parts") {
  CHECK(split_colon_list("sha256 : sha1") == std::vector<std::string>{"sha256", "sha1"});
  CHECK(split_colon_list("") == std::vector<std::string>{""});
  CHECK(split_colon_list("a::") == std::vector<std::string>{"a", "", ""});
}
