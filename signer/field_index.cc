#include "signer/field_index.h"

#include "policy/ascii.h"

namespace waxwing {

FieldIndex::FieldIndex(std::span<const HeaderField> header) {
  for (auto field = header.rbegin(); field != header.rend(); ++field) {
    fields_[ascii_lower(field->name)].push_back(&*field);
  }
}

std::vector<const HeaderField*> FieldIndex::select(std::span<const std::string> names) const {
  std::vector<const HeaderField*> selected;
  std::unordered_map<std::string_view, std::size_t> taken;
  for (const std::string& name : names) {
    const auto found = fields_.find(name);
    if (found == fields_.end()) continue;
    std::size_t& count = taken[name];
    if (count < found->second.size()) selected.push_back(found->second[count++]);
  }
  return selected;
}

}  // namespace waxwing
