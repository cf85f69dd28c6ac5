// A tag list is read or refused; what is read stands in the text where its offsets say, and reads the same when it is
// written again.

#include "policy/tag_list.h"

#include <cstdint>
#include <set>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text = fuzz::OctetSource(octets, size).rest();
  const auto list = TagList::parse(text);
  if (!list) return 0;
  require(!list->tags().empty() && list->tags().size() <= kMaxTags, "a list has one tag at least, and not too many");
  std::string written;
  std::set<std::string> names;
  for (const TagList::Tag& tag : list->tags()) {
    require(tag.value_begin <= tag.value_end && tag.value_end <= text.size(), "offsets are inside the text");
    require(text.substr(tag.value_begin, tag.value_end - tag.value_begin).find(tag.value) != std::string_view::npos,
            "a value stands where its offsets say");
    require(names.insert(tag.name).second, "no tag occurs twice");
    require(list->find(tag.name) == &tag, "a tag is found by its name");
    std::string joined;
    for (const std::string& part : split_colon_list(tag.value)) joined += part + ":";
    require(joined.size() <= tag.value.size() + 1, "parts between colons are no longer than the value");
    written += tag.name + "=" + tag.value + ";";
  }
  const auto again = TagList::parse(written);
  require(again.has_value() && again->tags().size() == list->tags().size(), "a list that was read can be read again");
  for (std::size_t i = 0; i < again->tags().size(); ++i) {
    require(again->tags()[i].name == list->tags()[i].name && again->tags()[i].value == list->tags()[i].value,
            "a list that was written reads the same");
  }
  return 0;
}
