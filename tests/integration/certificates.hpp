#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace plex::test {

/// A certificate with its key, made when it is needed; signed by another one, or by itself.
class certificate
{
public:
    /// @param alternative_names as OpenSSL's configuration writes them: "DNS:localhost,IP:127.0.0.1"; none makes an
    /// authority
    explicit certificate(std::string const& common_name, std::string const& alternative_names = {},
                         certificate const* issuer = nullptr, long valid_seconds = 3600)
        : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), x509_(X509_new(), X509_free)
    {
        static long serial = 1;
        X509* const x = x509_.get();
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
        X509_gmtime_adj(X509_getm_notBefore(x), valid_seconds - 7200);
        X509_gmtime_adj(X509_getm_notAfter(x), valid_seconds);
        X509_set_pubkey(x, key_.get());
        X509_NAME* const name = X509_get_subject_name(x);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<unsigned char const*>(common_name.c_str()), -1, -1, 0);
        X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->x509_.get()) : name);
        add(NID_basic_constraints, alternative_names.empty() ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!alternative_names.empty())
            add(NID_subject_alt_name, alternative_names);
        if (X509_sign(x, (issuer ? issuer->key_ : key_).get(), EVP_sha256()) == 0)
            throw std::runtime_error("the certificate could not be signed");
    }

    std::string pem() const
    {
        return written([this](BIO* bio) { return PEM_write_bio_X509(bio, x509_.get()); });
    }
    /// @param passphrase to encrypt it with; empty for none
    std::string key_pem(std::string const& passphrase = {}) const
    {
        return written([&](BIO* bio) {
            EVP_CIPHER const* const cipher = passphrase.empty() ? nullptr : EVP_aes_128_cbc();
            return PEM_write_bio_PrivateKey(bio, key_.get(), cipher,
                                            reinterpret_cast<unsigned char const*>(passphrase.data()),
                                            static_cast<int>(passphrase.size()), nullptr, nullptr);
        });
    }

private:
    void add(int nid, std::string const& value)
    {
        std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(
            X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()), X509_EXTENSION_free);
        if (!extension || X509_add_ext(x509_.get(), extension.get(), -1) == 0)
            throw std::runtime_error("the certificate's extension could not be made: " + value);
    }

    template <class Write>
    static std::string written(Write write)
    {
        std::unique_ptr<BIO, decltype(&BIO_free)> const bio(BIO_new(BIO_s_mem()), BIO_free);
        if (write(bio.get()) == 0)
            throw std::runtime_error("the certificate could not be written");
        char* data = nullptr;
        long const size = BIO_get_mem_data(bio.get(), &data);
        return std::string(data, static_cast<std::size_t>(size));
    }

    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
    std::unique_ptr<X509, decltype(&X509_free)> x509_;
};

/// A file that is there while the test runs.
class temporary_file
{
public:
    explicit temporary_file(std::string const& content)
    {
        std::string name = (std::filesystem::temp_directory_path() / "plex-test-XXXXXX").string();
        int const descriptor = ::mkstemp(name.data());
        if (descriptor < 0)
            throw std::runtime_error("no temporary file");
        ::close(descriptor);
        path_ = name;
        std::ofstream(path_) << content;
    }
    ~temporary_file()
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    temporary_file(temporary_file const&) = delete;
    temporary_file& operator=(temporary_file const&) = delete;

    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

} // namespace plex::test
