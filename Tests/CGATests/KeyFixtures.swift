/// Private keys that must be refused. Throw-away keys made for these tests.
enum KeyFixtures {
    /// RSA of 512 bits, PKCS#8.
    static let rsa512 = """
        -----BEGIN PRIVATE KEY-----
        MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEArjbx+IvW5IY3OG9c
        Q2gaPWbSU80BMre+O94bXTyGpN6OdtsBa/FS3qMvANhYaX5nfGgPKDKZyv80T+dj
        llY7aQIDAQABAkBxM8DNiUhsnA3bvPjN0CJkzaBT1b02kJCrZCqRzheLnwOkXJsD
        T5nDhu6AbsZJa40kbJxNnvArqz94eo+bqP+BAiEA1pvfW7IibcRbI7kjOyKxKsk1
        brKIC3YrXwwp+ICH/hkCIQDP0KRHpvn5EnZYMfTIrnWGnhxix7pU2H63HlkguLUx
        0QIgY3DAUz28RD5quKfNklYl35xx/MQO07jCqfz56aKs4OkCIQCnX2QgbWRg7TSx
        fbKnupLfVBKKoE/7K86Kz397MiiFMQIgeHlaeWnKE7hcEhumxAnKQZxR2uDlt8Ip
        AbXfU4Dx8JY=
        -----END PRIVATE KEY-----
        """

    /// Not RSA at all.
    static let ellipticCurve = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4ZwMbaDhN4blXp8Z
        hp76eDFi5RjyUgRhXXBbIdpJfM6hRANCAARo98mDWUPG5uzJVexTBTkxAAhmYRo2
        fRJnq2EhtnB2+alC7VMhoAy/yryoELRWFWZLWm3CdCTMkMWw/Z+KpmHo
        -----END PRIVATE KEY-----
        """

    /// RSA, but bound to the PSS padding.
    static let rsaPSS = """
        -----BEGIN PRIVATE KEY-----
        MIICcwIBADALBgkqhkiG9w0BAQoEggJfMIICWwIBAAKBgQClfADmTrV8f5SpqG1W
        6+e2RcKto0Kd0S+5uhu5DpsmNEBdnZLpzjdEsTLRhtzGpODNlOAkKvM1It9ojjeG
        oAGOSagA9OdbI7I+SkvzjUCdYeDinYJJbObCAQaKGRvwJFR6TlZeiv82hFqwoPHo
        g6aBmhip2gWfUoyZPbLM8TdzjwIDAQABAoGAHT7C8fCrBiuN3EXVvOzH8GB3vTQD
        C9zyMEKBr7yzEpddYK3+Tq+Q+OTP9FN/JOPyjqJm0j186cEV9mZbzcDtRS1i3LE5
        vNLLX3O8cH+1EHsijnfr9HR2q9tLX6FsxaNvCWPaLK2cLcvMp1vgGosPz8V63ikb
        m50dKHkAHm1QQgECQQDPH9M2kk+oaQ8DAVHV6QxFw0vRA5XOJg1OuMRXyCT9CGDw
        8LB9wDiOsT47PVA4cRme0hqapm5H+K8/EbBNbcSBAkEAzIjAazblGTtBEbcynzcG
        09CiXs8mMbbt2zY78h9XU+5Rnr56pPGky6ffwKZwhr85RVoEtG+ThHt6GrtLd5Dw
        DwJAXVLwnwETpUUY/3ijv+dOoUxap+WepREeI986kHbcu6n/y/AXBcILebfA235H
        2/aR3a67T/03aXRSue8lae3QgQJAGq/RI2wTMlqX397eXQXJ/0MenG481om+uTZ3
        Vd0fANV8ktDZocHhtazetf1Be2Nh7pmTOZPBVKzjvq8nZp9jowJAUcZPe4KJL1w5
        V+i5zl91796TcQjkeZViKDEhCxp3w4vPFnbY1c9ceXqE2hsd8uUfk/2KhrvgPN/l
        DXcZ5tI2hw==
        -----END PRIVATE KEY-----
        """

    /// RSA of 1024 bits under a passphrase, PKCS#8.
    static let encryptedPKCS8 = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIbGhrZ/JgIA8CAggA
        MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAw5sDR77CieJqqOvtOA8iWBIIC
        gFJBwqS8kkr+SDnaiKDSUCcGNMYvTAQG0XAx3tdZJLObzdn9j9072Bn09u9XrAnB
        4p27J2QYLPMyq9g2/ZwktR355rngGdd1VAF9pU1Vv3sddMrZX9XZL/vLgBs92SPe
        Ic5+WK20KQjdZwsMDemUcut0yepdz5j4vw0yeniT+dLTSsJ9LTv3edf1TdvPWWGN
        1BFOINwzcFzzNKJFTdgJNNMk3yHvRqJPEEaf/Ecv7jen1hNsTQocj548BjVrZTaT
        t7doBd4V4IsBgpF4YHdyC5Zecs/VizbcFoIhJcUW07w1ByhDz9gtW7jMDaZNHYHp
        iNZP4LDzwu1vh9QxzvaVCGwRqFyqlLJ0TcEhmPSI5YrcoX4813WgsZGYdJqfS/Mq
        wmb7LEeKLyK+HwihKXT9w0MSxMV+geBrd8yWaRWdj/i+MfoNCEAKLEtzb8s2G24L
        q0w9UQsmbd31FyvNE0Wktsi2uICDXchs2z5uYTzE0Wcr4c6A69atHACIIvY5JzuZ
        JNUApFhOXGNhjH9kF5f5KVX7hY6TVcyUPKsSXZCvwyqfpz1HkRnsVNf5k0ZzpYbI
        GtDKVCqyjEg7f1iapqJjtcIICwr2q3f2uu1bNeFsmPBK1YjDxsQpC1dLJ52CPYB9
        Ww8NDU1L5DAgdUQjF2UiB3xqb9Ecjb4Y5m+lGsaBai7b/f8xB6qEbToXlV1V2tTK
        HVbch9EhE7QWB0C2WH/zv7bDjSTS+yfMSHENY2LSc3mxjwNLPopjNbG4fegVqY/k
        ZbAUp0b4VzVmmVtIbZjhpBTnNAzQCAKLCC0j+EieLq/utggiTTPmGHS5ajsbeBdv
        MLN5pr8rX/iHHU7nDLPeRJg=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// RSA of 1024 bits under a passphrase, PKCS#1.
    static let encryptedPKCS1 = """
        -----BEGIN RSA PRIVATE KEY-----
        Proc-Type: 4,ENCRYPTED
        DEK-Info: AES-128-CBC,27253FBAD5BF41EE520C9AAA4D66FBF4

        c+hP/gvXGih4iTBwyr86jkbqfVuv3QtpepyvDXfUgrXmbGoFdKIQ3Dshi9N67c1V
        Xzr9KsqKKl2qbhpt2i0n3z0pUqI5KvYLXwM7rcebkkxbNISFzkZYVm5ruInUlIom
        KIEW2u+LXix5NSISJ9QuireW6KzSWU18KI2Fv+F2Bn+Itl6l+DDCDkVfLPxuL6tH
        3HFOry3qfpMBCiyVo8+Bcjm3mWAAGcWrjFgym5VOs6N8oqyylf5d4/OhiWFkr8Zp
        nsTq/CQa/Nb36abIBAqdgRWLh4TZ8ye6Y3UMZKD0TBtMroj5TOESVNDxSlbsXZbh
        Mwq0cwYEw90jVvnbXGe8qxPvdWjYiPDfdEcF8PEJb9AjfYp6kpYnva/HoR7EowXR
        sJD/WJ+SwXrQY5hQZzl8dIWUum2mAMDTOb1YnH9mHzDqfTabvOmGyrRq6LSSDFEB
        8akJrizJEQimReYqvM2GdRzQ3hK4iEUHbmeCiPkOhdF5HmfErMWGhJNtm+c8L2o+
        EA2G1kMwM9JBqilHFypDPxONksz9/cug82GejrwKOpG6I+YgdQC02NX1WPBH47nD
        4yaEjkLxGtd9sagQBIKMEC1Gx0mzvf7zFlz9Qxpf3133CdQSYrKO7UfXJ6RBAoSJ
        QN+qhxJOdwUtfiIqWbjzc974g6UC2UuASyx+uyUtJh0OuRE8xwCEcM5zZBwmJes8
        mcMViAaJNrr+Ff9pt/vWXB19rfZpvc6FRn6KmvBsSdtcBzzOiSrwaJ00akKKuauK
        KUVhoiFZq6tM0Z3KbF6FpYLAk0O0nVGS6ucJ6OtC2bHsW+VT2VxID1tPthTugDEY
        -----END RSA PRIVATE KEY-----
        """
}
