// libopendkim's side of the comparison: `opendkim_peer sign|verify FOLDER`, messages on standard input and output as
// message_bundle.h has them. A program of its own, since the library brings OpenSSL's libcrypto along.

// The header is C99, where the type has another name.
#define _Bool bool
extern "C" {
#include <dkim.h>
}

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "tests/signer/peers/message_bundle.h"

using waxwing::NamedMessage;

namespace {

constexpr const char* kDomain = "sender.example";
constexpr std::size_t kFieldNameOctets = sizeof(DKIM_SIGNHEADER) + 1;  ///< with ": "

std::map<std::string, std::string> records;  // the library's callback has no other way to them

unsigned char* octets(const std::string& text) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void load_records(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  std::string text;
  while (std::getline(file, name, '\t') && std::getline(file, text)) records[name] = text;
}

DKIM_CBSTAT find_key(DKIM*, DKIM_SIGINFO* signature, unsigned char* buffer, std::size_t size) {
  const auto text = [](const unsigned char* octets) { return std::string(reinterpret_cast<const char*>(octets)); };
  const auto record =
      records.find(text(dkim_sig_getselector(signature)) + "._domainkey." + text(dkim_sig_getdomain(signature)));
  if (record == records.end() || record->second.size() >= size) return DKIM_CBSTAT_NOTFOUND;
  std::memcpy(buffer, record->second.c_str(), record->second.size() + 1);
  return DKIM_CBSTAT_CONTINUE;
}

/// Hands a message over field by field, as the library wants it. Gives the last status.
DKIM_STAT feed(DKIM* handle, const std::string& message) {
  std::size_t at = 0;
  while (message.compare(at, 2, "\r\n") != 0 && at < message.size()) {
    std::size_t end = message.find("\r\n", at);
    while (end + 2 < message.size() && (message[end + 2] == ' ' || message[end + 2] == '\t')) {
      end = message.find("\r\n", end + 2);
    }
    const DKIM_STAT status = dkim_header(handle, octets(message) + at, end - at);
    if (status != DKIM_STAT_OK) return status;
    at = end + 2;
  }
  DKIM_STAT status = dkim_eoh(handle);
  if (status != DKIM_STAT_OK) return status;
  at += 2;
  if (at < message.size()) status = dkim_body(handle, octets(message) + at, message.size() - at);
  return status == DKIM_STAT_OK ? dkim_eom(handle, nullptr) : status;
}

std::string sign(DKIM_LIB* library, const NamedMessage& message, const std::string& folder) {
  // Not Ed25519 over the simple form of the header: what libopendkim 2.11.0~beta2 makes then, it refuses itself.
  const bool ed25519 = message.number() / 4 % 2 == 1 && message.number() % 2 == 0;
  const auto form = [](unsigned bit) { return bit % 2 == 0 ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE; };
  const std::string selector = ed25519 ? "ed25519" : "rsa";
  const std::string key = file_text(folder + "/" + selector + ".pem");
  DKIM_STAT status = DKIM_STAT_OK;
  DKIM* handle =
      dkim_sign(library, octets(message.name), nullptr, octets(key), octets(selector),
                reinterpret_cast<const unsigned char*>(kDomain), form(message.number()), form(message.number() / 2),
                ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1, &status);
  if (handle != nullptr) status = feed(handle, message.octets);
  unsigned char* field = nullptr;
  std::size_t size = 0;
  if (status == DKIM_STAT_OK) status = dkim_getsighdr_d(handle, kFieldNameOctets, &field, &size);
  std::string signed_message;
  if (status == DKIM_STAT_OK) {
    // The library folds with LF, and expects its caller to make CRLF of it.
    signed_message = DKIM_SIGNHEADER ": ";
    for (std::size_t i = 0; i < size; ++i) {
      if (field[i] == '\n' && (i == 0 || field[i - 1] != '\r')) signed_message += '\r';
      signed_message += static_cast<char>(field[i]);
    }
    signed_message += "\r\n" + message.octets;
  } else {
    std::fprintf(stderr, "%s: libopendkim does not sign: %s\n", message.name.c_str(),
                 handle == nullptr ? dkim_getresultstr(status) : dkim_geterror(handle));
  }
  if (handle != nullptr) dkim_free(handle);
  return signed_message;
}

/// What becomes of each signature, as words after spaces.
std::string verify(DKIM_LIB* library, const NamedMessage& message) {
  DKIM_STAT status = DKIM_STAT_OK;
  DKIM* handle = dkim_verify(library, octets(message.name), nullptr, &status);
  if (handle == nullptr) return std::string(" error:") + dkim_getresultstr(status);
  feed(handle, message.octets);
  DKIM_SIGINFO** signatures = nullptr;
  int count = 0;
  std::string results;
  if (dkim_getsiglist(handle, &signatures, &count) != DKIM_STAT_OK) count = 0;
  for (int i = 0; i < count; ++i) {
    dkim_sig_process(handle, signatures[i]);
    const unsigned flags = dkim_sig_getflags(signatures[i]);
    const bool passed = (flags & DKIM_SIGFLAG_PASSED) != 0 && dkim_sig_getbh(signatures[i]) == DKIM_SIGBH_MATCH;
    std::string error = dkim_sig_geterrorstr(dkim_sig_geterror(signatures[i]));
    for (char& c : error) c = c == ' ' ? '_' : c;
    results += passed ? " pass" : " fail:" + error;
  }
  dkim_free(handle);
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  if (argc != 3) return std::fputs("usage: opendkim_peer sign|verify FOLDER\n", stderr), 64;
  const std::string command = argv[1];
  const std::string folder = argv[2];
  load_records(folder + "/records.txt");
  DKIM_LIB* library = dkim_init(nullptr, nullptr);
  dkim_set_key_lookup(library, find_key);
  for (const NamedMessage& message : waxwing::read_bundle(std::cin)) {
    if (command == "sign") {
      waxwing::write_bundle(std::cout, {message.name, sign(library, message, folder)});
    } else {
      std::cout << message.name << verify(library, message) << '\n';
    }
  }
  dkim_close(library);
  return 0;
}
